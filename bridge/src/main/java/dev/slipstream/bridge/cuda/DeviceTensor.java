package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.TensorType;

/** Where a tensor lies in a device's memory, dense and row-major. */
public record DeviceTensor(long address, TensorType type) {
}
