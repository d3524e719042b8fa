package dev.slipstream.bridge.tensorrt;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the phases of a build to the log. */
record LoggedProgress(String engine) implements BuildProgress {
    private static final Logger LOGGER = LoggerFactory.getLogger(LoggedProgress.class);

    @Override
    public void phaseStarted(String phase, String parent, int steps) {
        LOGGER.debug("engine {}: {} begins, {} steps", engine, phase, steps);
    }

    @Override
    public boolean stepDone(String phase, int step) {
        return true;
    }

    @Override
    public void phaseFinished(String phase) {
        LOGGER.debug("engine {}: {} is done", engine, phase);
    }
}
