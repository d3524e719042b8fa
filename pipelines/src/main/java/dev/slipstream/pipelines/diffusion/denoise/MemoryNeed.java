package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.run.program.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Memory that a request takes on one device, in bytes: an estimate, made before anything is built. Engines may keep
 * weights in another type than the model's file, and what they need to be built comes on top.
 *
 * @param weightBytes weights of the denoiser's segments on this device
 * @param componentBytes weights of text encoder and autoencoder, which are on one device: the first, or where they work
 *     beside loops the one that these leave idle most
 * @param bufferBytes buffers of the loop
 * @param workBytes the largest live activations of one of the segments, or of the autoencoder on its device if these
 *     are larger, or both where these work at once: they grow with the picture, or with a tile ({@link Tiles}); with a
 *     refiner those of both models
 */
public record MemoryNeed(long weightBytes, long componentBytes, long bufferBytes, long workBytes) {
    public static final MemoryNeed NOTHING = new MemoryNeed(0, 0, 0, 0);

    /** Protobuf nodes, and the type of what they make; measured with the UNet of Stable Diffusion. */
    private static final long HEAP_BYTES_A_NODE = 2500;

    public long totalBytes() {
        return weightBytes + componentBytes + bufferBytes + workBytes;
    }

    /** The needs of two models on the same devices, both at once. */
    public static List<MemoryNeed> sums(List<MemoryNeed> first, List<MemoryNeed> second) {
        return IntStream.range(0, first.size()).mapToObj(device -> first.get(device).plus(second.get(device)))
            .toList();
    }

    /** The needs of the parts of one model on the same devices: they work one after another. */
    public static List<MemoryNeed> together(List<List<MemoryNeed>> parts) {
        return parts.stream().reduce((first, second) -> IntStream.range(0, first.size())
            .mapToObj(device -> first.get(device).beside(second.get(device))).toList()).orElseThrow();
    }

    private MemoryNeed beside(MemoryNeed other) {
        MemoryNeed sum = plus(other);
        return new MemoryNeed(sum.weightBytes, sum.componentBytes, sum.bufferBytes,
            Math.max(workBytes, other.workBytes));
    }

    /** Of a component outside the loop. @param home its device */
    public static List<MemoryNeed> ofComponent(int devices, int home, long weightBytes, long workBytes) {
        return IntStream.range(0, devices).mapToObj(device -> device == home
            ? new MemoryNeed(0, weightBytes, 0, workBytes) : NOTHING).toList();
    }

    /** Of a loop whose engines are there. */
    public static List<MemoryNeed> ofBuffers(int devices, Program program) {
        return IntStream.range(0, devices)
            .mapToObj(device -> new MemoryNeed(0, 0, program.bufferBytes(device), 0)).toList();
    }

    /** On all devices. */
    public static long totalBytes(List<MemoryNeed> needs) {
        return needs.stream().mapToLong(MemoryNeed::totalBytes).sum();
    }

    /** An estimate of what a graph takes of the heap; weights are in files or shared with the model. */
    public static long heapBytes(Graph graph) {
        return HEAP_BYTES_A_NODE * graph.nodes().size();
    }

    private MemoryNeed plus(MemoryNeed other) {
        return new MemoryNeed(weightBytes + other.weightBytes, componentBytes + other.componentBytes,
            bufferBytes + other.bufferBytes, workBytes + other.workBytes);
    }

    /** Whether there is room now. @param needs one a device */
    public static boolean fit(List<MemoryNeed> needs, List<Device> devices) {
        return IntStream.range(0, needs.size())
            .allMatch(index -> needs.get(index).totalBytes() <= devices.get(index).memory().freeBytes());
    }

    /**
     * @param needs one a device
     * @throws DeviceOutOfMemoryException if some device has less memory free, with the figures of all such devices
     */
    public static void requireRoom(List<MemoryNeed> needs, List<Device> devices) {
        List<String> full = new ArrayList<>();
        for (int index = 0; index < needs.size(); index++) {
            Device.Memory memory = devices.get(index).memory();
            if (needs.get(index).totalBytes() > memory.freeBytes()) {
                full.add(needs.get(index).against(devices.get(index).name(), memory));
            }
        }
        if (!full.isEmpty()) {
            throw new DeviceOutOfMemoryException("the request does not fit: " + String.join(", ", full)
                + "; take more devices, a smaller picture or batch, smaller tiles, or a model of a smaller element "
                + "type");
        }
    }

    private String against(String device, Device.Memory memory) {
        return device + " needs about " + megabytes(totalBytes()) + " (weights " + megabytes(weightBytes)
            + ", encoder and decoder " + megabytes(componentBytes) + ", buffers " + megabytes(bufferBytes)
            + ", work space " + megabytes(workBytes) + ") and has " + megabytes(memory.freeBytes()) + " free of "
            + megabytes(memory.totalBytes());
    }

    /** Decimal, as everywhere. */
    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
