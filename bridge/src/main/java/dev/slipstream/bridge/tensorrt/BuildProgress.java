package dev.slipstream.bridge.tensorrt;

/**
 * Is told how far the building of an engine is, and can end it. TensorRT may call from several threads at once. If a
 * method throws, the build ends, and its exception has that one as its cause.
 */
interface BuildProgress {
    /**
     * A phase begins.
     *
     * @param parent the phase that it is part of, or an empty text
     * @param steps how many steps it has
     */
    void phaseStarted(String phase, String parent, int steps);

    /** A step is done. @return whether to go on; if not, the build ends soon and fails */
    boolean stepDone(String phase, int step);

    void phaseFinished(String phase);
}
