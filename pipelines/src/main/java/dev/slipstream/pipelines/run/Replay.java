package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.Recording;
import dev.slipstream.bridge.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Queues the work of equal chunks. The first time as it is, as engines need one plain run before they can be recorded;
 * the second time it records; and from then on it replays, in one call and without allocating. What cannot be recorded
 * is queued as it is each time.
 */
final class Replay implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Replay.class);

    /** What could not be recorded in one execution: the log says it once. */
    static final class Refusals {
        private boolean told;

        private void tell(Stream stream, DeviceException why) {
            if (!told) {
                told = true;
                LOG.warn("{}: work of the loop cannot be recorded, and is queued anew in each step: {}",
                    stream.device().name(), why.getMessage());
            }
        }
    }

    private final Resources resources;
    private final Refusals refusals;
    private final Stream stream;
    private final Runnable[] calls;
    private boolean ran;
    private boolean refused;
    private Recording recording;

    Replay(Resources resources, Refusals refusals, Stream stream, Runnable[] calls) {
        this.resources = resources;
        this.refusals = refusals;
        this.stream = stream;
        this.calls = calls;
    }

    @Override
    public void run() {
        if (!ran || refused) {
            callAll();
            ran = true;
            return;
        }
        if (recording == null && !tryToRecord()) {
            callAll();
            return;
        }
        stream.replay(recording);
    }

    private boolean tryToRecord() {
        try {
            recording = record();
            return true;
        } catch (DeviceLostException lost) {
            throw lost;
        } catch (DeviceException why) {
            refused = true;
            refusals.tell(stream, why);
            return false;
        }
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
