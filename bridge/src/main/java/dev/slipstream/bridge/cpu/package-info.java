/**
 * The CPU as devices, through ONNX Runtime. A device is a share of the cores: a fixed number of threads.
 *
 * <p><b>Threads.</b> Each stream has one daemon thread, which takes commands from a ring of preallocated slots. Engines
 * run on that thread, with the rest of the device's threads from ONNX Runtime's own pool. A thread that has to wait (a
 * worker for commands or for another stream, a caller for room or for a result) spins a few microseconds and then
 * parks; all waiting goes through one class, {@link dev.slipstream.bridge.cpu.Progress}.
 *
 * <p><b>Weights.</b> Engines with large weights are kept in the engine store and map their weights; engines on devices
 * of one thread share sessions ({@link dev.slipstream.bridge.cpu.KeptEngines}). Whether threads of a device spin is
 * decided for each run ({@link dev.slipstream.bridge.cpu.CpuEngine}).
 *
 * <p><b>Given up.</b> A worker that is stuck in an engine cannot be stopped: when its device is given up, the worker is
 * abandoned, nothing waits for it any more, and what it may still write to stays allocated until it ends ({@link
 * dev.slipstream.bridge.cpu.CpuDevice}).
 *
 * <p><b>Events</b> hold no state of their own: recording one notes how far the stream's queue reaches, and waiting for
 * it means waiting for the stream to get there. Failures are kept per stream, in {@link
 * dev.slipstream.bridge.cpu.Outcome}.
 *
 * <p><b>Memory.</b> Buffers are native memory, 64-byte aligned. ONNX Runtime reads inputs from them and writes outputs
 * into them without a copy. Memory lives as long as a buffer is open or a binding names it, and an execution context
 * cannot be closed while it runs, so closing something too early is an error and never a crash.
 *
 * <p>Start reading at {@link dev.slipstream.bridge.cpu.CpuDevice}.
 */
package dev.slipstream.bridge.cpu;
