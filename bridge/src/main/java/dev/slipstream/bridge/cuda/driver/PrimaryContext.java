package dev.slipstream.bridge.cuda.driver;

import dev.slipstream.bridge.cuda.driver.Handle.ContextHandle;

/**
 * A primary context that was retained.
 *
 * @param ordinal number of its GPU
 * @param device the driver's handle of the GPU
 * @param handle the driver's handle of the context
 */
public record PrimaryContext(int ordinal, int device, ContextHandle handle) {
}
