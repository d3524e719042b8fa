package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.stream.Stream;

/** Questions that tests ask programs. */
final class Programs {
    private Programs() {
    }

    static Stream<Work.Run<Region>> runs(Program program) {
        return program.works().mapMulti((work, runs) -> {
            if (work instanceof Work.Run<Region> run) {
                runs.accept(run);
            }
        });
    }
}
