/**
 * TensorRT, called through the tables of its C++ objects: nothing has to be compiled, and the libraries are needed only
 * where they are used. Linux on x86-64 and aarch64.
 *
 * <p>Three layers. <b>Tables</b>: {@link dev.slipstream.bridge.tensorrt.Method} has the slot of each method in each
 * major version, {@link dev.slipstream.bridge.tensorrt.Signature} what crosses in a call,
 * {@link dev.slipstream.bridge.tensorrt.Constant} the values of enumerations; a test proves them all against public
 * class files. <b>Calls</b>: {@link dev.slipstream.bridge.tensorrt.CppObject} and
 * {@link dev.slipstream.bridge.tensorrt.Exports}, the only classes with downcalls; {@code JavaObject} makes objects
 * that TensorRT calls back. <b>Objects</b>: {@link dev.slipstream.bridge.tensorrt.NativeObject}s, one class for each of
 * TensorRT's, which check what a call returned and free what they own. {@link dev.slipstream.bridge.tensorrt.TensorRt}
 * is where they come from, {@link dev.slipstream.bridge.tensorrt.TensorRtLibrary} where that comes from.
 *
 * <p>On top, {@link dev.slipstream.bridge.tensorrt.TensorRtCompiler} makes engines for the CUDA provider: start reading
 * there.
 */
package dev.slipstream.bridge.tensorrt;
