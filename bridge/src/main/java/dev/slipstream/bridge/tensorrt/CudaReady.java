package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.cuda.EngineTarget;

/**
 * The word of the caller that CUDA can be used: the driver was found and initialised, is new enough, has this device,
 * and the device's primary context is current on the calling thread.
 *
 * <p>Nothing of TensorRT may be created before. Without a device, TensorRT 10 returns addresses that point nowhere, and
 * TensorRT 10.6 ends the process when a builder is asked for.
 */
record CudaReady(EngineTarget target) {
}
