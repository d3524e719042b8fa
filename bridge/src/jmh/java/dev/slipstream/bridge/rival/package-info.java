/**
 * Calls into native code, ours through FFM against those of org.bytedeco's bindings through JNI: {@link
 * dev.slipstream.bridge.rival.Rival} runs the benchmarks, which lie beside what they measure, a class for each call of
 * the driver or of TensorRT with a method for each way to make it. The ways: {@code jni}; {@code ffm}, the bare call as
 * generated; {@code checked}, as the thin layer makes it; {@code safe}, as users of the bridge do.
 */
package dev.slipstream.bridge.rival;
