package dev.slipstream.pipelines.graph.fusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.graph.fusion.StridedView.Factor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Views against tensors of element numbers that are really transposed. */
class StridedViewTest {
    @Property(tries = 500)
    void aViewPlacesElementsAsTransposesAndReshapesDo(@ForAll long seed) {
        Random random = new Random(seed);
        List<Long> dims = dims(random);
        long[] elements = LongStream.range(0, product(dims)).toArray();
        Optional<StridedView> view = Optional.of(StridedView.of(dims));
        for (int step = random.nextInt(6); step > 0 && view.isPresent(); step--) {
            if (random.nextBoolean()) {
                List<Integer> order = new ArrayList<>(IntStream.range(0, dims.size()).boxed().toList());
                Collections.shuffle(order, random);
                elements = transposed(elements, dims, order);
                dims = order.stream().map(dims::get).toList();
                view = view.map(it -> it.transposed(order));
            } else {
                List<Long> other = regrouped(dims, random);
                dims = other;
                view = view.flatMap(it -> it.reshaped(other));
            }
        }
        if (view.isPresent()) {
            assertEquals(dims.size(), view.get().axes().size());
            assertArrayEquals(elements, enumerate(view.get().axes().stream().flatMap(List::stream).toList()));
            assertArrayEquals(elements, enumerate(view.get().flat()));
        }
    }

    private static List<Long> dims(Random random) {
        return random.longs(random.nextInt(1, 5), 1, 5).boxed().toList();
    }

    private static long product(List<Long> dims) {
        return dims.stream().reduce(1L, (a, b) -> a * b);
    }

    /** Neighbours put together, or taken apart again. */
    private static List<Long> regrouped(List<Long> dims, Random random) {
        List<Long> made = new ArrayList<>();
        for (long dim : dims) {
            if (!made.isEmpty() && random.nextInt(3) == 0) {
                made.add(made.removeLast() * dim);
            } else if (dim % 2 == 0 && random.nextBoolean()) {
                made.addAll(List.of(2L, dim / 2));
            } else {
                made.add(dim);
            }
        }
        if (random.nextInt(4) == 0) {
            made.add(random.nextInt(made.size() + 1), 1L);
        }
        return made;
    }

    private static long[] transposed(long[] elements, List<Long> dims, List<Integer> order) {
        List<Factor> source = new ArrayList<>();
        long stride = 1;
        for (long dim : dims.reversed()) {
            source.add(new Factor(dim, stride));
            stride *= dim;
        }
        List<Factor> forward = source.reversed();
        return LongStream.of(enumerate(order.stream().map(forward::get).toList()))
            .map(index -> elements[(int) index]).toArray();
    }

    private static long[] enumerate(List<Factor> factors) {
        long[] offsets = {0};
        for (Factor factor : factors) {
            long[] before = offsets;
            offsets = LongStream.of(before).flatMap(offset -> LongStream.range(0, factor.size())
                .map(index -> offset + index * factor.stride())).toArray();
        }
        return offsets;
    }

    @Test
    void headsComeToLieInTheBatch() {
        StridedView view = StridedView.of(List.of(2L, 256L, 2L, 8L)).transposed(List.of(0, 2, 1, 3))
            .reshaped(List.of(4L, 256L, 8L)).orElseThrow();
        assertEquals(List.of(List.of(new Factor(2, 4096), new Factor(2, 8)), List.of(new Factor(256, 16)),
            List.of(new Factor(8, 1))), view.axes());
        assertEquals(Optional.of(new HeadsLayout(2, 2, 256, 8)), HeadsLayout.of(view));
    }

    @Test
    void headsWithoutElementsAreNone() {
        assertEquals(Optional.empty(), HeadsLayout.of(StridedView.of(List.of(2L, 3L, 0L))));
        assertEquals(Optional.empty(), HeadsLayout.of(StridedView.of(List.of(2L, 0L, 3L))));
        assertEquals(Optional.empty(), HeadsLayout.of(StridedView.of(List.of(0L, 2L, 3L))));
        assertEquals(Optional.empty(), HeadsLayout.of(StridedView.of(List.of(6L))));
    }

    @Test
    void anAxisThatWouldTakeAPartOfAnotherIsRefused() {
        StridedView view = StridedView.of(List.of(4L, 6L)).transposed(List.of(1, 0));
        assertEquals(Optional.empty(), view.reshaped(List.of(4L, 6L)));
        assertEquals(Optional.empty(), view.reshaped(List.of(6L, 5L)));
        assertEquals(Optional.empty(), view.reshaped(List.of(6L, 2L)));
        assertEquals(Optional.empty(), view.reshaped(List.of(0L)));
    }
}
