/**
 * Finding TensorRT's libraries on this machine, and what came of it:
 * {@link dev.slipstream.bridge.tensorrt.library.LibrarySearch} looks in three places, and a
 * {@link dev.slipstream.bridge.tensorrt.library.TensorRtLibrary} is loaded or says why it is not.
 */
package dev.slipstream.bridge.tensorrt.library;
