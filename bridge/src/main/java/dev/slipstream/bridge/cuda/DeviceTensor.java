package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.TensorType;

/** A dense tensor at an address on a device. It owns nothing. */
public record DeviceTensor(long address, TensorType type) {
}
