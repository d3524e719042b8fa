package dev.slipstream.bridge.trial;

import java.util.List;

/** Tries one thing on a machine, and prints what it found. */
interface Trial {
    /**
     * @throws AssertionError if it is not as it should be
     * @throws NothingHereException if it cannot be tried here
     */
    void run(Machine machine, List<String> arguments) throws Exception;
}
