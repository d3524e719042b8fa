package dev.slipstream.pipelines.graph.fusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.shape.Activations;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import java.nio.ByteBuffer;
import java.util.Map;

/** The form in which a device is given a graph with fixed shapes. */
public enum DeviceForm {
    /** As it is: standard operators only. */
    STANDARD,
    /** Attention is one node, where it can be ({@link AttentionFusion}). */
    FUSED_ATTENTION;

    /** The form for a device: the one place that decides it. */
    public static DeviceForm of(Device device) {
        return of(device.hasAttentionOperator());
    }

    /** The form for a device that is not open, and may not be there. */
    public static DeviceForm of(DeviceSpec device, Devices providers) {
        return of(providers.hasAttentionOperator(device));
    }

    private static DeviceForm of(boolean attentionOperator) {
        return attentionOperator ? FUSED_ATTENTION : STANDARD;
    }

    /** The graph in this form. */
    public Graph of(Graph graph) {
        return switch (this) {
            case STANDARD -> graph;
            case FUSED_ATTENTION -> AttentionFusion.fuse(graph);
        };
    }

    /**
     * What an engine is built from.
     *
     * @param name what errors and timelines call the engine
     */
    public EngineSource source(String name, Graph graph) {
        return new EngineSource(name, ByteBuffer.wrap(GraphFile.serialize(of(graph))), graph.folder(), Map.of());
    }

    /** An estimate of the work space that the engine needs: the largest live activations. */
    public long workBytes(Graph graph) {
        Graph form = of(graph);
        return Activations.peakBytes(form, ValueInfos.types(form));
    }
}
