package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Random shapes and positions: types and values are those of ONNX Runtime. */
class RandomShapesTest {
    private static final int TRIES = 150;

    @Provide
    Arbitrary<long[]> dims() {
        return Arbitraries.longs().between(1, 5).array(long[].class).ofMinSize(0).ofMaxSize(4);
    }

    @Provide
    Arbitrary<long[]> few() {
        return Arbitraries.longs().between(1, 5).array(long[].class).ofMinSize(0).ofMaxSize(2);
    }

    @Provide
    Arbitrary<long[]> bounds() {
        Arbitrary<Long> far = Arbitraries.of(Long.MIN_VALUE, Long.MAX_VALUE, (long) Integer.MAX_VALUE, -100L, 100L);
        return Arbitraries.frequencyOf(Tuple.of(4, Arbitraries.longs().between(-7, 7)),
            Tuple.of(1, far)).array(long[].class).ofSize(3);
    }

    private static Value random(long... dims) {
        return Value.random(ValueType.of(INT64, dims), Arrays.hashCode(dims));
    }

    private static void check(OperatorCase operator) throws OrtException {
        operator.checkTypes();
        operator.checkValues();
    }

    @Property(tries = TRIES)
    void shapesWithOnesBroadcast(@ForAll("dims") long[] dims, @ForAll @IntRange(min = 0, max = 15) int left,
        @ForAll @IntRange(min = 0, max = 15) int right, @ForAll @IntRange(max = 4) int dropped) throws OrtException {
        long[] shorter = Dims.from(withOnes(dims, right), Math.min(dropped, dims.length));
        check(OperatorCase.of("Add").weight(random(withOnes(dims, left))).weight(random(shorter)));
    }

    private static long[] withOnes(long[] dims, int mask) {
        return IntStream.range(0, dims.length).mapToLong(i -> (mask >> i & 1) == 1 ? 1 : dims[i]).toArray();
    }

    @Property(tries = TRIES)
    void shapesThatDifferElsewhereDoNotBroadcast(@ForAll("dims") long[] dims, @ForAll @IntRange(max = 3) int axis) {
        long[] left = Dims.concat(dims, new long[] {3});
        long[] right = Dims.with(left, Math.min(axis, dims.length), 7);
        left[Math.min(axis, dims.length)] = 3;
        assertThrows(GraphException.class, () -> OperatorCase.of("Mul").floats(left).floats(right).infer());
    }

    @Property(tries = TRIES)
    void slicesMayGoBackwardsAndOutOfRange(@ForAll("bounds") long[] starts, @ForAll("bounds") long[] ends,
        @ForAll @LongRange(min = -3, max = 3) long step, @ForAll @LongRange(min = 1, max = 6) long size)
        throws OrtException {
        long pace = step == 0 ? 1 : step;
        Assume.that(pace > 0 ? ends[2] < Integer.MAX_VALUE : ends[0] < Integer.MAX_VALUE);
        check(OperatorCase.of("Slice").weight(random(size, 4, 2)).weight(starts).weight(ends).weight(0, 1, -1)
            .weight(pace, 1, -pace));
    }

    @Property(tries = TRIES)
    void reshapesMayCopyAndLeaveOpenDimensions(@ForAll("dims") long[] dims, @ForAll @IntRange(max = 15) int zeros,
        @ForAll @IntRange(min = -1, max = 3) int open, @ForAll @IntRange(max = 3) int merged) throws OrtException {
        int first = Math.min(merged, dims.length);
        long[] wanted = Dims.concat(Arrays.copyOf(dims, first), new long[] {Dims.product(dims, first, dims.length)});
        for (int i = 0; i < first; i++) {
            wanted[i] = (zeros >> i & 1) == 1 ? 0 : wanted[i];
        }
        if (open >= 0) {
            wanted[Math.min(open, first)] = -1;
        }
        check(OperatorCase.of("Reshape").weight(random(dims)).weight(wanted));
    }

    @Property(tries = TRIES)
    void gathersPickAlongAnyAxis(@ForAll("few") long[] dims, @ForAll("few") long[] positions,
        @ForAll @IntRange(max = 4) int axis) throws OrtException {
        long[] data = Dims.concat(dims, new long[] {10});
        int chosen = Math.min(axis, dims.length);
        data[chosen] = 10;
        check(OperatorCase.of("Gather").attribute("axis", chosen - data.length).weight(random(data))
            .weight(random(positions)));
    }

    @Property(tries = TRIES)
    void transposesAndTilesKeepEveryElement(@ForAll("permutations") long[] order, @ForAll("repeats") long[] repeats)
        throws OrtException {
        check(OperatorCase.of("Transpose").list("perm", order).weight(random(2, 3, 4, 5)));
        check(OperatorCase.of("Tile").weight(random(3, 1, 2)).weight(repeats));
    }

    @Provide
    Arbitrary<long[]> permutations() {
        return Arbitraries.of(0L, 1L, 2L, 3L).array(long[].class).ofSize(4).uniqueElements();
    }

    @Provide
    Arbitrary<long[]> repeats() {
        return Arbitraries.longs().between(0, 3).array(long[].class).ofSize(3);
    }

    @Property(tries = TRIES)
    void convolutionsFitTheirWindows(@ForAll("windows") long[] window, @ForAll @LongRange(min = 7, max = 12) long size)
        throws OrtException {
        OperatorCase convolution = OperatorCase.of("Conv").list("strides", window[1]).list("dilations", window[2])
            .list("pads", window[3], window[4]).floats(1, 1, size).floats(1, 1, window[0]);
        convolution.checkTypes();
        long reach = (window[0] - 1) * window[2] + 1;
        assertEquals((size + window[3] + window[4] - reach) / window[1] + 1,
            convolution.infer().type("out0").dims()[2]);
    }

    @Provide
    Arbitrary<long[]> windows() {
        Arbitrary<Long> small = Arbitraries.longs().between(1, 3);
        Arbitrary<Long> pad = Arbitraries.longs().between(0, 2);
        return Combinators.combine(small, small, small, pad, pad)
            .as((kernel, stride, dilation, before, after) -> new long[] {kernel, stride, dilation, before, after});
    }
}
