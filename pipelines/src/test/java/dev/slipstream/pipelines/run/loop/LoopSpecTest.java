package dev.slipstream.pipelines.run.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Loops as they are described, and after which steps they estimate. */
class LoopSpecTest {
    private static final TensorType LATENTS = TensorType.of(DataType.FLOAT32, 2, 4, 8, 8);
    private static final NoiseTable NOISE = new NoiseTable("test", 1, IntStream.range(0, 6).mapToObj(step ->
        new Row(step, 1, LinearForm.PREDICTION, LinearForm.ZERO, LinearForm.ZERO)).toList());

    private static LoopSpec loop(TensorType latents, Estimates estimates) {
        return new LoopSpec(new DenoiserPorts("x", "t", List.of(), "eps"), NOISE, Guidance.NONE, latents,
            Map.of(Branch.BOTH, Map.of("x", TensorType.of(DataType.FLOAT32, 4, 9, 8, 8))), KeptLatents.LAST, estimates);
    }

    private static List<Integer> estimated(Estimates estimates) {
        LoopSpec loop = loop(LATENTS, estimates);
        return IntStream.range(0, NOISE.steps()).filter(loop::isEstimated).boxed().toList();
    }

    @Test
    void estimatesComeEverySoManyStepsButNotAtTheVeryEnd() {
        assertEquals(List.of(), estimated(Estimates.NONE));
        assertEquals(List.of(1, 3), estimated(Estimates.every(2)));
        assertEquals(List.of(0, 1, 2, 3, 4), estimated(Estimates.every(1)));
        assertEquals(List.of(1, 3, 5), estimated(new Estimates(2, 0, true)));
        assertEquals(List.of(0, 2, 4), estimated(new Estimates(2, 3, false)), "steps of an earlier loop count");
        assertThrows(IllegalArgumentException.class, () -> Estimates.every(-1));
        assertThrows(IllegalArgumentException.class, () -> new Estimates(1, -1, false));
    }

    @Test
    void latentsAreFourDimensionsOfFloats() {
        assertThrows(IllegalArgumentException.class,
            () -> loop(TensorType.of(DataType.FLOAT16, 2, 4, 8, 8), Estimates.NONE));
        assertThrows(IllegalArgumentException.class,
            () -> loop(TensorType.of(DataType.FLOAT32, 2, 4, 8), Estimates.NONE));
    }

    @Test
    void aTensorHasATypeInEachBranchThatReadsIt() {
        LoopSpec loop = loop(LATENTS, Estimates.NONE);
        assertEquals(9, loop.type("x", Branch.BOTH).shape().dim(1));
        assertEquals(5 * 8 * 8 * 4, loop.extraBytes(Branch.BOTH), "five more channels than the latents have");
        for (Branch branch : List.of(Branch.BOTH, Branch.CONDITIONAL)) {
            String message = assertThrows(IllegalArgumentException.class, () -> loop.type("pose", branch)).getMessage();
            assertTrue(message.contains("'pose' is not known for " + branch), message);
        }
    }
}
