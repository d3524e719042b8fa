package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;

/** A work on values, its stream, and the denoising step that it serves. */
record Task(int stream, int step, Work<Access> work) {
}
