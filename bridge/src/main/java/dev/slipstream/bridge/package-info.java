/**
 * Devices without any idea of diffusion.
 *
 * <p>A {@link dev.slipstream.bridge.DeviceProvider} (found by {@link java.util.ServiceLoader}, listed by {@link
 * dev.slipstream.bridge.Devices}) opens a {@link dev.slipstream.bridge.Device}. The device makes everything else:
 * {@link dev.slipstream.bridge.Stream}s (ordered queues of work), {@link dev.slipstream.bridge.Event}s (points in a
 * stream), {@link dev.slipstream.bridge.Buffer}s (bytes on the device) and {@link dev.slipstream.bridge.Engine}s
 * (compiled segments), whose {@link dev.slipstream.bridge.ExecutionContext}s run on streams. Where a device can, a
 * stream captures work as a {@link dev.slipstream.bridge.CapturedGraph} and launches it again.
 *
 * <p>Ownership: the caller to whom an object is given closes it, children before parents; closing twice is harmless.
 * What goes wrong on a device is a {@link dev.slipstream.bridge.DeviceException}; a call that makes no sense is refused
 * before anything happens, with an {@link java.lang.IllegalArgumentException} (wrong sizes, wrong device) or an {@link
 * java.lang.IllegalStateException} (something is closed). Blocking calls do not end when their thread is interrupted;
 * its flag stays set. Start reading at {@link dev.slipstream.bridge.Device}.
 *
 * <p>Records, enums, shapes and failures are immutable values, which any thread may use; everything else says which
 * threads may. Unless it is marked {@code @Nullable}, no argument and no result is null: what may be absent is an
 * {@link java.util.Optional}. Constructors of records refuse values that make no sense with an {@link
 * java.lang.IllegalArgumentException}.
 */
@NullMarked
package dev.slipstream.bridge;

import org.jspecify.annotations.NullMarked;
