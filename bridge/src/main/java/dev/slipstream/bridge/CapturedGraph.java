package dev.slipstream.bridge;

/**
 * Work that a stream captured ({@link Stream#beginCapture}), to be queued again and again in one call. It names its
 * buffers and execution contexts and owns none of them; it must not be launched once one of them is closed.
 *
 * <p>The caller of {@link Stream#endCapture} closes it, once its launches are done. It may be launched on any stream of
 * its device, but as the contexts in it have one run at a time, never on two at once.
 */
public interface CapturedGraph extends AutoCloseable {
    Device device();

    @Override
    void close();
}
