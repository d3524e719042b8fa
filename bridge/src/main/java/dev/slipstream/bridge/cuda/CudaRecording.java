package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Recording;
import dev.slipstream.bridge.provider.DeviceObject;
import java.lang.foreign.MemorySegment;

/** A CUDA graph, captured from a stream and ready to be launched. */
final class CudaRecording extends DeviceObject<CudaDevice> implements Recording {
    private final MemorySegment graph;

    /** Takes over the graph. */
    CudaRecording(CudaDevice device, MemorySegment graph) {
        super(device);
        this.graph = graph;
    }

    MemorySegment graph() {
        return graph;
    }

    @Override
    public void free() {
        device().calls().destroyGraph(graph);
    }

    @Override
    public String toString() {
        return "recording";
    }
}
