package dev.slipstream.bridge;

/**
 * Memory of a device at one moment.
 *
 * @param freeBytes what a program could still get; on a CPU what the system could give without swapping
 * @param totalBytes all there is
 */
public record DeviceMemory(long freeBytes, long totalBytes) {
    public DeviceMemory {
        if (freeBytes < 0 || freeBytes > totalBytes) {
            throw new IllegalArgumentException(freeBytes + " bytes free of " + totalBytes);
        }
    }
}
