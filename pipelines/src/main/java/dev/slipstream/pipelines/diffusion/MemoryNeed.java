package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Memory that a request takes on one device, in bytes: an estimate, made before anything is built. Engines may keep
 * weights in another type than the model's file, and what they need to be built comes on top.
 *
 * @param weightBytes weights of the denoiser's segments on this device
 * @param componentBytes weights of text encoder and autoencoder, which are on the first device
 * @param bufferBytes buffers of the loop
 * @param workBytes the largest live activations of one of the segments, or on the first device of the autoencoder if
 *     these are larger: they grow with the picture, or with a tile ({@link Tiles}); with a refiner those of both models
 */
public record MemoryNeed(long weightBytes, long componentBytes, long bufferBytes, long workBytes) {
    static final MemoryNeed NOTHING = new MemoryNeed(0, 0, 0, 0);

    public long totalBytes() {
        return weightBytes + componentBytes + bufferBytes + workBytes;
    }

    /** The needs of two models on the same devices, both at once. */
    static List<MemoryNeed> sums(List<MemoryNeed> first, List<MemoryNeed> second) {
        return IntStream.range(0, first.size()).mapToObj(device -> first.get(device).plus(second.get(device)))
            .toList();
    }

    private MemoryNeed plus(MemoryNeed other) {
        return new MemoryNeed(weightBytes + other.weightBytes, componentBytes + other.componentBytes,
            bufferBytes + other.bufferBytes, workBytes + other.workBytes);
    }

    /**
     * @param needs one a device
     * @throws DeviceOutOfMemoryException if some device has less memory free, with the figures of all such devices
     */
    static void requireRoom(List<MemoryNeed> needs, List<Device> devices) {
        List<String> full = new ArrayList<>();
        for (int index = 0; index < needs.size(); index++) {
            DeviceMemory memory = devices.get(index).memory();
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

    private String against(String device, DeviceMemory memory) {
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
