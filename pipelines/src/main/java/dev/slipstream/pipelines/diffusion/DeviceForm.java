package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.LinkedWeights;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.fusion.SeparateSums;
import dev.slipstream.pipelines.graph.shape.Activations;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import java.lang.foreign.Arena;
import java.util.Map;

/** The form in which a device is given a graph with fixed shapes. */
public enum DeviceForm {
    /** As it is: standard operators only. */
    STANDARD,
    /**
     * For ONNX Runtime on CPUs: attention is one node, where it can be ({@link AttentionFusion}), and no sum becomes
     * part of a convolution, so that a cut between the two changes no bit ({@link SeparateSums}).
     */
    ONNX_RUNTIME;

    /** The form for a device: the one place that decides it. */
    public static DeviceForm of(Device device) {
        return of(device.usesOnnxRuntime());
    }

    /** The form for a device that is not open, and may not be there. */
    public static DeviceForm of(DeviceSpec device, Devices providers) {
        return of(providers.usesOnnxRuntime(device));
    }

    private static DeviceForm of(boolean onnxRuntime) {
        return onnxRuntime ? ONNX_RUNTIME : STANDARD;
    }

    /** The graph in this form. */
    public Graph of(Graph graph) {
        return switch (this) {
            case STANDARD -> graph;
            case ONNX_RUNTIME -> SeparateSums.keep(AttentionFusion.fuse(graph));
        };
    }

    /**
     * Builds the engine of a graph in this form; its owner closes it.
     *
     * @param name what errors and timelines call the engine
     * @throws dev.slipstream.bridge.EngineBuildException if it cannot be built
     */
    public Engine build(Device device, String name, Graph graph) {
        try (Arena arena = Arena.ofShared()) {
            Graph form = LinkedWeights.follow(of(graph));
            return device.build(new EngineSource(name, GraphFile.serialize(form, arena).asByteBuffer(), form.folder(),
                Map.of()));
        }
    }

    /** An estimate of the work space that the engine needs: the largest live activations. */
    public long workBytes(Graph graph) {
        Graph form = of(graph);
        return Activations.peakBytes(form, ValueInfos.types(form));
    }
}
