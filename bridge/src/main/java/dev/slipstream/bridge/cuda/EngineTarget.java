package dev.slipstream.bridge.cuda;

/**
 * A device as an engine compiler sees it.
 *
 * @param device what errors call it, for example {@code cuda:0}
 * @param ordinal its number among the GPUs of the process
 * @param gpu for example {@code NVIDIA H200}
 * @param major first number of the compute capability
 * @param minor second number of the compute capability
 */
public record EngineTarget(String device, int ordinal, String gpu, int major, int minor) {
    /** For example {@code sm_90}. */
    public String architecture() {
        return "sm_" + major + minor;
    }
}
