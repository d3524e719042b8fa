package dev.slipstream.pipelines.run.program;

/**
 * One thing that a stream does: it launches work, or it keeps the order with other streams. {@code step} is the
 * denoising step that it serves, for timelines and progress.
 */
public sealed interface Instruction {
    int stream();

    int step();

    /** Works on tensors. */
    record Launch(int stream, int step, Work<Region> work) implements Instruction {
    }

    /** Marks a point that other streams, or the host, wait for. */
    record Record(int stream, int step, int event) implements Instruction {
    }

    /** Holds the stream until another stream has passed a point. */
    record Wait(int stream, int step, int event) implements Instruction {
    }
}
