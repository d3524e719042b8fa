package dev.slipstream.samples.bench;

/** A way to do a number of denoising steps on one device. One thread. */
interface StepRuns extends AutoCloseable {
    /** Short and unique for a model. */
    String way();

    int steps();

    /** Does all steps and waits for them. */
    void run();

    /** Host time that the last run spent to queue a step, without waits, in nanoseconds. */
    long queueNanos(int step);

    @Override
    void close();
}
