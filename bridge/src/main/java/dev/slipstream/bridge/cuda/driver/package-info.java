/**
 * The CUDA driver API, called and checked: the only package that touches the generated bindings.
 *
 * <p>{@link dev.slipstream.bridge.cuda.driver.DriverLibrary} opens the driver's library,
 * {@link dev.slipstream.bridge.cuda.driver.DriverCheck} asks it in the right order whether there is a usable GPU,
 * {@link dev.slipstream.bridge.cuda.driver.Driver} makes the calls that belong to no context, and
 * {@link dev.slipstream.bridge.cuda.driver.DeviceCalls} those that do: it makes the device's context current where
 * another is, and after each call of a library that uses CUDA itself. Pointers of the driver have types of their own
 * ({@link dev.slipstream.bridge.cuda.driver.Handle}). What goes wrong is an exception that
 * names call, device, code and sizes ({@link dev.slipstream.bridge.cuda.driver.CudaErrors}).
 */
package dev.slipstream.bridge.cuda.driver;
