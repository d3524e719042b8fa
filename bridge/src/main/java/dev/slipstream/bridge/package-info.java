/**
 * Devices without any idea of diffusion.
 *
 * <p>A {@link dev.slipstream.bridge.DeviceProvider} (found by {@link java.util.ServiceLoader}, listed by
 * {@link dev.slipstream.bridge.Devices}) opens a {@link dev.slipstream.bridge.Device}. The device makes everything
 * else: {@link dev.slipstream.bridge.Stream}s (ordered queues of work), {@link dev.slipstream.bridge.Event}s (points in
 * a stream), {@link dev.slipstream.bridge.Buffer}s (bytes on the device) and {@link dev.slipstream.bridge.Engine}s
 * (compiled segments), whose {@link dev.slipstream.bridge.ExecutionContext}s run on streams. Where a device can, a
 * stream notes work as a {@link dev.slipstream.bridge.Recording} and replays it.
 *
 * <p>Ownership: whoever is given an object closes it, children before parents; closing twice is harmless. What goes
 * wrong on a device is a {@link dev.slipstream.bridge.DeviceException}; a call that makes no sense is refused before
 * anything happens, with an {@link java.lang.IllegalArgumentException} (wrong sizes, wrong device) or an
 * {@link java.lang.IllegalStateException} (something is closed). Blocking calls do not end when their thread is
 * interrupted; its flag stays set. Start reading at {@link dev.slipstream.bridge.Device}.
 */
package dev.slipstream.bridge;
