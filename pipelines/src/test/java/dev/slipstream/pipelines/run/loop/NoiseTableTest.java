package dev.slipstream.pipelines.run.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import org.junit.jupiter.api.Test;

class NoiseTableTest {
    private static Row row(double prediction, Double... past) {
        return new Row(1, 1, new LinearForm(1, prediction, List.of(past), 0), LinearForm.ZERO, LinearForm.ZERO);
    }

    @Test
    void rowsMayLookBackAsFarAsThereAreSteps() {
        assertEquals(2, new NoiseTable("lms", 1, List.of(row(1), row(1, 0.5))).steps());
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("lms", 1, List.of(row(1, 0.5))));
    }

    @Test
    void coefficientsThatAreNotFiniteAreRefused() {
        String message = assertThrows(IllegalArgumentException.class,
            () -> new NoiseTable("ddim", 1, List.of(row(1), row(Double.NaN)))).getMessage();
        assertTrue(message.contains("step 1 of ddim"), message);
        assertThrows(IllegalArgumentException.class,
            () -> new NoiseTable("ddim", 1, List.of(row(1), row(1, Double.POSITIVE_INFINITY))));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("ddim", 1 / 0.0, List.of(row(1))));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("ddim", 1e39, List.of(row(1))));
        Row badEstimate = new Row(1, 1, row(1).next(), LinearForm.ZERO, new LinearForm(1 / 0.0, 0));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("ddim", 1, List.of(badEstimate)));
    }

    @Test
    void nothingIsKeptOfAPictureWhereAStepIsTooSmallToLeadToIt() {
        Row still = new Row(1, 1, new LinearForm(1, 1e-200, List.of(), 0), LinearForm.ZERO, LinearForm.ZERO);
        NoiseTable table = new NoiseTable("ddim", 14, List.of(still));
        String message = assertThrows(IllegalArgumentException.class,
            () -> table.repainting(new NoiseTable.Mix(0, 14))).getMessage();
        assertTrue(message.contains("step 0 of ddim") && message.contains("leave out the mask"), message);
    }

    @Test
    void emptyTablesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("ddim", 1, List.of()));
    }

    @Test
    void rowsMayUseFarMemoriesIfTheyAreFew() {
        Double[] far = {0.0, 0.0, 0.0, 0.0, 0.5};
        List<Row> rows = List.of(row(1), row(1), row(1), row(1), row(1), row(1, far));
        assertEquals(6, new NoiseTable("pndm", 1, rows).steps());
        assertThrows(IllegalArgumentException.class, () -> row(1, 0.1, 0.1, 0.1, 0.1, 0.1));
    }

    @Test
    void noiseOfEarlierRowsIsNoiseTooAndLiesNoFurtherBackThanTheFirst() {
        Row first = row(1);
        Row second = new Row(1, 1, new LinearForm(1, 1, 0, List.of(), 0, List.of(0.5)), LinearForm.ZERO,
            LinearForm.ZERO);
        assertTrue(new NoiseTable("sde", 1, List.of(first, second)).needsNoise());
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("sde", 1, List.of(second)));
    }

    @Test
    void aRowThatGoesOnWithAStepSaysSo() {
        assertTrue(row(1).continued().continues() && !row(1).continues());
    }
}
