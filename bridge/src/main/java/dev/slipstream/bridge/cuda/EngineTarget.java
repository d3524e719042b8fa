package dev.slipstream.bridge.cuda;

/**
 * A device as an engine compiler sees it, for example {@code ("cuda:0", 0, "NVIDIA H200", 9, 0)}.
 *
 * @param device what errors call it
 * @param ordinal the driver's number of it
 * @param gpu the driver's name of the model
 * @param major first digit of the compute capability
 * @param minor second digit of the compute capability
 */
public record EngineTarget(String device, int ordinal, String gpu, int major, int minor) {
}
