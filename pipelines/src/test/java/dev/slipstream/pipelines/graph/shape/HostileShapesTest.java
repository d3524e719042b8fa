package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.tensor.Constant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Few nodes that ask for much. */
class HostileShapesTest {
    private static KnownValues infer(GraphBuilder builder) {
        return Propagation.through(builder.graph(), Map.of()).known();
    }

    private static void assertRefused(GraphBuilder builder, String expected) {
        String message = assertThrows(GraphException.class, () -> infer(builder)).getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void foldingStopsBeforeItFillsTheMemory() {
        GraphBuilder builder = new GraphBuilder().weight("zero", Value.scalar(0)).weight("one", Value.scalar(1))
            .weight("most", Value.scalar(Constant.MOST_ELEMENTS)).node("t0 = Range(zero, most, one)");
        for (int i = 1; i < 300; i++) {
            builder.node("t%d = Add(t%d, t0)".formatted(i, i - 1));
        }
        KnownValues known = infer(builder.output("t299"));
        assertTrue(known.constant("t1").isPresent());
        assertFalse(known.constant("t299").isPresent());
        assertEquals(Constant.MOST_ELEMENTS, known.type("t299").elements());
    }

    @Test
    void shapesThatCannotBeAreRefused() {
        assertRefused(new GraphBuilder().weight("huge", Value.list(1L << 40, 1L << 40))
            .node("y = ConstantOfShape(huge)").output("y"), "node y (ConstantOfShape): its output 'y' is too large");
        assertRefused(new GraphBuilder().weight("many", Value.list(100))
            .weight("filling", Value.list(1)).node("ones = Expand(filling, many)")
            .node("y = ConstantOfShape(ones)").output("y"), "has 100 dimensions, more than 64");
        assertRefused(new GraphBuilder().weight("x", Value.reals(FLOAT32, new long[] {2}, 1, 2))
            .weight("repeats", Value.list(Long.MAX_VALUE)).node("y = Tile(x, repeats)").output("y"), "node y (Tile)");
        assertRefused(new GraphBuilder().weight("start", Value.scalar(Long.MIN_VALUE))
            .weight("end", Value.scalar(Long.MAX_VALUE)).weight("one", Value.scalar(1))
            .node("y = Range(start, end, one)").output("y"), "node y (Range)");
    }

    @Test
    void joiningNothingManyTimesEnds() {
        KnownValues known = infer(new GraphBuilder().weight("dims", Value.list(1L << 40, 0))
            .node("empty = ConstantOfShape(dims)")
            .node("y = Concat(empty, empty)", GraphBuilder.attribute("axis", 1)).output("y"));
        assertEquals(0, known.type("y").elements());
    }

    @Test
    void aBranchWithoutConditionIsRefusedByName() {
        assertRefused(new GraphBuilder().node("y = If()").output("y"), "node y (If)");
    }
}
