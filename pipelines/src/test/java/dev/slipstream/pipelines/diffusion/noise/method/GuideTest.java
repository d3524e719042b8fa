package dev.slipstream.pipelines.diffusion.noise.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The guide to writing a method is true: its example compiles, and does what it says. */
class GuideTest {
    private static final String HERE = "java/dev/slipstream/pipelines/diffusion/noise/method/";

    private static NoiseTable table(int steps, int first) {
        return AdamsBashforth.read(SchedulerOptions.parse("{}", "this test")).table(steps, first);
    }

    @Test
    void theExampleOfTheGuideIsTheClassThatIsTestedHere() throws IOException {
        String guide = Files.readAllLines(Path.of("src/main", HERE, "package-info.java")).stream()
            .map(line -> line.replaceFirst("^ \\* ?", "")).collect(Collectors.joining("\n"));
        String source = Files.readString(Path.of("src/test", HERE, "AdamsBashforth.java"));
        assertTrue(guide.contains(source.substring(source.indexOf("public record")).strip()), guide);
    }

    @Test
    void eachStepRemembersItsDerivativeAndLooksBackAtThreeBefore() {
        List<Row> rows = table(6, 0).rows();
        for (int step = 0; step < 6; step++) {
            assertEquals(LinearForm.PREDICTION, rows.get(step).history());
            assertEquals(Math.min(step, 3), rows.get(step).next().past().size());
        }
    }

    /** A method that looks back begins late as it begins at the first step. */
    @Test
    void aLateBeginningLooksBackAtNothing() {
        assertTrue(table(6, 2).rows().getFirst().next().past().isEmpty());
        assertEquals(4, table(6, 2).steps());
    }

    @Test
    void theWeightsOfAStepAddUpToItsLength() {
        NoiseTable table = table(6, 0);
        for (int step = 0; step < 5; step++) {
            LinearForm next = table.rows().get(step).next();
            double sum = next.prediction() + next.past().stream().mapToDouble(weight -> weight).sum();
            assertEquals(sigma(table, step + 1) - sigma(table, step), sum, 1e-9);
        }
    }

    private static double sigma(NoiseTable table, int step) {
        double scale = table.rows().get(step).inputScale();
        return Math.sqrt(1 / (scale * scale) - 1);
    }
}
