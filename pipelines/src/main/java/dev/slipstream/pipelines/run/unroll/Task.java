package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.Optional;

/** A work on values, its stream, the denoising step that it serves, and on what condition it is done; empty: always. */
record Task(int stream, int step, Work<Access> work, Optional<Condition> condition) {
}
