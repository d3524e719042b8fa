/**
 * GPUs: the CUDA driver's primary contexts, streams, events, pools and graphs behind the neutral API, and engines by an
 * {@link dev.slipstream.bridge.cuda.EngineCompiler} (TensorRT; in tests a stand-in).
 *
 * <p>Three layers: the generated bindings (module {@code dev.slipstream.jextract}), calls that check ({@link
 * dev.slipstream.bridge.cuda.driver}), and the safe objects of this package. Start reading at {@link
 * dev.slipstream.bridge.cuda.CudaProvider} and {@code CudaDevice}.
 *
 * <p>Rules that hold everywhere here: no default stream and no hidden current device (each call sees to it that its
 * context is current); nothing waits inside the driver, so that a device can be given up; what the driver refuses when
 * it is queued poisons the stream on the host, and what fails later is an error that CUDA keeps, which loses the
 * device.
 */
package dev.slipstream.bridge.cuda;
