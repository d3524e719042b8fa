package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.store.EngineKey;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.LinkedWeights;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.fusion.SeparateSums;
import dev.slipstream.pipelines.graph.precision.WideWeights;
import dev.slipstream.pipelines.graph.shape.Activations;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /** Of a key by which a graph is known, and not an engine. */
    private static final Map<String, String> NO_TARGET =
        Map.of(EngineKey.COMPILER, "none", EngineKey.ARCHITECTURE, "none", EngineKey.PROCESSOR, "none");

    /** The form for a device: the one place that decides it. */
    public static DeviceForm of(Device device) {
        return of(device.traits());
    }

    /** The form for a device that is not open, and may not be there. */
    public static DeviceForm of(DeviceSpec device, Devices providers) {
        return providers.traits(device).map(DeviceForm::of).orElse(STANDARD);
    }

    private static DeviceForm of(Device.Traits device) {
        return switch (device.dialect()) {
            case ONNX -> STANDARD;
            case ONNX_RUNTIME -> ONNX_RUNTIME;
        };
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
            EngineSource source = source(name, form, arena);
            return device.build(WideWeights.areIn(form)
                ? source.withWide(folder -> source(name, wide(form, folder), arena)) : source);
        }
    }

    /** What a graph is, with its weights, whatever engines are made of it: the same for the same content. */
    public static String content(String name, Graph graph) {
        try (Arena arena = Arena.ofShared()) {
            return EngineStore.ofUser().quickKey(source(name, LinkedWeights.follow(graph), arena), NO_TARGET).id();
        }
    }

    private static EngineSource source(String name, Graph form, Arena arena) {
        return new EngineSource(name, GraphFile.serialize(form, arena).asByteBuffer(), form.folder(), Map.of());
    }

    private static Graph wide(Graph form, Path folder) {
        try {
            return WideWeights.write(form, folder.resolve("wide.weights"));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed.getMessage(), failed);
        }
    }

    /** Bytes of the weights in the types in which the engine has them. */
    public long weightBytes(Graph graph) {
        return switch (this) {
            case STANDARD -> graph.weightBytes();
            case ONNX_RUNTIME -> graph.wideWeightBytes();
        };
    }

    /** Whether engines of the graph on several devices of this form have their weights in the same memory. */
    public boolean sharesWeights(Graph graph) {
        return this == ONNX_RUNTIME && graph.weightFiles().stream().mapToLong(DeviceForm::size).sum()
            >= EngineStore.WORTH_BYTES_OF_CPU;
    }

    /** Whether devices of this form read in place what others of them made, as {@link Device.Traits} say of them. */
    public boolean readsInPlace() {
        return this == ONNX_RUNTIME;
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException missing) {
            // The engine will complain of it.
            return 0;
        }
    }

    /** An estimate of the work space that the engine needs: the largest live activations. */
    public long workBytes(Graph graph) {
        Graph form = of(graph);
        return Activations.peakBytes(form, ValueInfos.types(form));
    }
}
