/**
 * Engines by TensorRT, for the CUDA provider. Nothing has to be compiled, and the libraries are needed only where they
 * are used. Linux on x86-64 and aarch64.
 *
 * <p>{@link dev.slipstream.bridge.tensorrt.TensorRtCompiler} makes engines: start reading there.
 * {@link dev.slipstream.bridge.tensorrt.library} finds TensorRT or says why it is not there. TensorRT's own
 * objects are in {@link dev.slipstream.bridge.tensorrt.api}, and how they are called in
 * {@link dev.slipstream.bridge.tensorrt.abi}.
 */
package dev.slipstream.bridge.tensorrt;
