package dev.slipstream.pipelines.run.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinearFormTest {
    private static final LinearForm ONE = new LinearForm(1, 2, 3, List.of(4.0, 5.0), 6, List.of(7.0));
    private static final LinearForm OTHER = new LinearForm(10, 20, 30, List.of(40.0), 60, List.of(70.0, 80.0));

    @Test
    void formsAreAddedAndScaledWeightByWeight() {
        assertEquals(new LinearForm(11, 22, 33, List.of(44.0, 5.0), 66, List.of(77.0, 80.0)), ONE.plus(OTHER));
        assertEquals(new LinearForm(9, 18, 27, List.of(36.0, -5.0), 54, List.of(63.0, 80.0)), OTHER.minus(ONE));
        assertEquals(new LinearForm(2, 4, 6, List.of(8.0, 10.0), 12, List.of(14.0)), ONE.times(2));
    }

    @Test
    void namesAreWeightsOfOne() {
        assertEquals(new LinearForm(1, 2, 3, List.of(0.0, 4.0), 5, List.of(6.0)),
            LinearForm.LATENT.plus(LinearForm.PREDICTION.times(2)).plus(LinearForm.CLEAN.times(3))
                .plus(LinearForm.past(2).times(4)).plus(LinearForm.NOISE.times(5))
                .plus(LinearForm.pastNoise(1).times(6)));
    }

    @Test
    void whatAStepRemembersEstimatesAndLimitsIsItsOwn() {
        for (LinearForm foreign : List.of(LinearForm.past(1), LinearForm.pastNoise(1), LinearForm.NOISE)) {
            LinearForm own = LinearForm.LATENT;
            assertThrows(IllegalArgumentException.class, () -> new Row(1, 1, own, foreign, own));
            assertThrows(IllegalArgumentException.class, () -> new Row(1, 1, own, own, foreign));
            Row row = new Row(1, 1, foreign, own, own);
            assertThrows(IllegalArgumentException.class, () -> row.withClean(foreign));
        }
    }

    @Test
    void itIsNoisyWhereNoiseFreshOrNotIsTaken() {
        assertTrue(LinearForm.NOISE.isNoisy());
        assertTrue(LinearForm.pastNoise(2).isNoisy());
        assertFalse(LinearForm.past(2).plus(LinearForm.LATENT).isNoisy());
        assertFalse(LinearForm.pastNoise(2).times(0).isNoisy());
        assertEquals(2, LinearForm.pastNoise(2).reach());
        assertEquals(3, LinearForm.past(3).reach());
    }
}
