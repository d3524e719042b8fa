package dev.slipstream.bridge;

/**
 * Work that a stream noted ({@link Stream#beginRecording}), to be queued again and again in one call. It names its
 * buffers and execution contexts and owns none of them; it must not be replayed once one of them is closed.
 *
 * <p>Whoever ended the recording closes it, once its replays are done. It may be replayed on any stream of its device,
 * but as the contexts in it have one run at a time, never on two at once.
 */
public interface Recording extends AutoCloseable {
    Device device();

    @Override
    void close();
}
