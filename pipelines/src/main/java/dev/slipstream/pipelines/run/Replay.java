package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Recording;
import dev.slipstream.bridge.Stream;

/**
 * Queues the work of equal chunks. The first time as it is, as engines need one plain run before they can be recorded;
 * the second time it records; and from then on it replays, in one call and without allocating.
 */
final class Replay implements Runnable {
    private final Resources resources;
    private final Stream stream;
    private final Runnable[] calls;
    private boolean ran;
    private Recording recording;

    Replay(Resources resources, Stream stream, Runnable[] calls) {
        this.resources = resources;
        this.stream = stream;
        this.calls = calls;
    }

    @Override
    public void run() {
        if (!ran) {
            callAll();
            ran = true;
            return;
        }
        if (recording == null) {
            recording = record();
        }
        stream.replay(recording);
    }

    /** Whatever goes wrong, the stream does not record afterwards. */
    private Recording record() {
        stream.beginRecording();
        try {
            callAll();
        } catch (RuntimeException | Error failure) {
            drop(failure);
            throw failure;
        }
        return resources.own(stream.endRecording());
    }

    private void drop(Throwable failure) {
        try {
            stream.endRecording().close();
        } catch (RuntimeException second) {
            if (second != failure) {
                failure.addSuppressed(second);
            }
        }
    }

    private void callAll() {
        for (Runnable call : calls) {
            call.run();
        }
    }
}
