package dev.slipstream.pipelines.graph.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.shape.rule.ShapeRules;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Nodes with random inputs and attributes: either their type is found, or the error names the node. */
class DamagedNodesTest {
    private static final List<String> OPERATORS = List.copyOf(new TreeSet<>(ShapeRules.operators()));
    private static final List<String> NUMBERS = List.of("axis", "keepdims", "group", "blocksize", "transA", "to",
        "start", "end", "batch_dims", "allowzero", "ceil_mode", "num_outputs", "dtype", "fmod", "k");
    private static final List<String> LISTS = List.of("axes", "perm", "pads", "strides", "dilations", "kernel_shape",
        "split", "output_padding", "output_shape");
    private static final List<String> EQUATIONS = List.of("ij,jk->ik", "...i->i", "i..j", "ii", "->", "", "i.", "a,b,c",
        "...,...->...", "i->...i");
    private static final List<ElementType> ELEMENTS = List.of(ElementType.FLOAT32, ElementType.INT64, ElementType.BOOL);

    @Property(tries = 3000)
    void noNodeMakesInferenceFailWithoutSayingWhere(@ForAll long seed) {
        Random random = new Random(seed);
        OperatorCase operator = OperatorCase.of(OPERATORS.get(random.nextInt(OPERATORS.size())))
            .outputs(1 + random.nextInt(3));
        for (int i = random.nextInt(5); i > 0; i--) {
            addInput(operator, random);
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            operator.attribute(NUMBERS.get(random.nextInt(NUMBERS.size())), number(random));
            operator.list(LISTS.get(random.nextInt(LISTS.size())), numbers(random));
        }
        operator.string("equation", EQUATIONS.get(random.nextInt(EQUATIONS.size())));
        try {
            KnownValues known = operator.infer();
            known.types().forEach((tensor, type) -> {
                assertTrue(type.shape().isKnown(), operator::toString);
                known.constant(tensor).ifPresent(value -> assertEquals(type, value.type(), operator::toString));
            });
        } catch (GraphException refused) {
            assertTrue(refused.getMessage().contains("the/"), refused::getMessage);
        }
    }

    private static void addInput(OperatorCase operator, Random random) {
        ElementType element = ELEMENTS.get(random.nextInt(ELEMENTS.size()));
        switch (random.nextInt(5)) {
            case 0 -> operator.none();
            case 1 -> operator.input(element, dims(random));
            case 2 -> operator.weight(Value.random(ValueType.of(element, dims(random)), random.nextLong()));
            case 3 -> operator.weight(numbers(random));
            default -> operator.weight(Value.scalar(number(random)));
        }
    }

    private static long[] dims(Random random) {
        return random.longs(random.nextInt(5), 0, 5).toArray();
    }

    private static long[] numbers(Random random) {
        return random.longs(random.nextInt(5), 0, 3).map(any -> number(random)).toArray();
    }

    private static long number(Random random) {
        long[] extremes = {Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, 1L << 40};
        return random.nextInt(12) == 0 ? extremes[random.nextInt(extremes.length)] : random.nextInt(-3, 5);
    }
}
