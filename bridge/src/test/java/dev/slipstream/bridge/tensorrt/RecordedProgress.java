package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.tensorrt.api.ProgressMonitor;
import java.util.ArrayList;
import java.util.List;

/** Notes what it hears; ends the build at a step, or throws at its first. */
final class RecordedProgress implements ProgressMonitor.Listener {
    public final List<String> heard = new ArrayList<>();
    private final int lastStep;
    private final RuntimeException failure;

    RecordedProgress(int lastStep, RuntimeException failure) {
        this.lastStep = lastStep;
        this.failure = failure;
    }

    @Override
    public void phaseStarted(String phase, String parent, int steps) {
        heard.add("begin " + phase + " in '" + parent + "' with " + steps);
    }

    @Override
    public boolean stepDone(String phase, int step) {
        heard.add("step " + step);
        if (failure != null) {
            throw failure;
        }
        return step < lastStep;
    }

    @Override
    public void phaseFinished(String phase) {
        heard.add("end " + phase);
    }
}
