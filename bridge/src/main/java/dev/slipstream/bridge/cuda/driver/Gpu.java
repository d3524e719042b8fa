package dev.slipstream.bridge.cuda.driver;

/**
 * A GPU as the driver describes it.
 *
 * @param ordinal its number among those that the process may see
 * @param name for example {@code NVIDIA H200}
 * @param major first number of the compute capability
 * @param minor second number of the compute capability
 * @param totalBytes memory in all
 */
public record Gpu(int ordinal, String name, int major, int minor, long totalBytes) {
    /** For example {@code sm_90}. */
    public String architecture() {
        return "sm_" + major + minor;
    }
}
