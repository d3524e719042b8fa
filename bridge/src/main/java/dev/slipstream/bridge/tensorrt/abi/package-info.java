/**
 * TensorRT's binary interface: how its C++ objects are called through the tables of their virtual methods.
 *
 * <p>{@link dev.slipstream.bridge.tensorrt.abi.Method} has the slot of each method in each major version,
 * {@link dev.slipstream.bridge.tensorrt.abi.Signature} what crosses in a call,
 * {@link dev.slipstream.bridge.tensorrt.abi.Constant} the values of enumerations; a test proves them all against public
 * class files. {@link dev.slipstream.bridge.tensorrt.abi.CppObject} and
 * {@link dev.slipstream.bridge.tensorrt.abi.Exports} are the only classes with downcalls;
 * {@link dev.slipstream.bridge.tensorrt.abi.JavaObject} makes objects that TensorRT calls back.
 */
package dev.slipstream.bridge.tensorrt.abi;
