package dev.slipstream.pipelines.run.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.run.simulate.BubbleFill.Job;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Place;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BubbleFillTest {
    private static Span run(int lane, int step, long start, long end) {
        return new Span(0, lane, step, new Activity.Stage(lane), start, end, end - start);
    }

    private static Timeline timeline(long end, Span... spans) {
        return new Timeline(List.of(new Lane(0, "a", false), new Lane(1, "b", false)), List.of(), end, List.of(spans),
            List.of());
    }

    /** Two steps in which the devices take turns, and then two in which both work all the time. */
    private static final Timeline TURNS = timeline(60, run(0, 0, 0, 10), run(1, 0, 10, 20), run(0, 1, 20, 30),
        run(1, 1, 30, 40), run(0, 2, 40, 50), run(1, 2, 40, 50), run(0, 3, 50, 60), run(1, 3, 50, 60));

    @Test
    void aWorkGoesWhereADeviceWaits() {
        Place place = BubbleFill.of(TURNS, List.of(new Job("decode", Map.of(0, 10L, 1, 10L)))).getFirst();
        assertEquals(1, place.device(), "it waits first");
        assertEquals(0, place.afterSteps());
        assertEquals(0, place.delayNanos());
    }

    @Test
    void aWorkThatIsBoundToADeviceBeginsWhereThatIsIdle() {
        Timeline late = timeline(40, run(0, 0, 0, 10), run(0, 1, 10, 20), run(1, 2, 20, 40));
        Place place = BubbleFill.of(late, List.of(new Job("decode", Map.of(0, 20L)))).getFirst();
        assertEquals(2, place.afterSteps());
        assertEquals(20, place.startNanos());
        assertEquals(0, place.delayNanos());
    }

    @Test
    void onAFullDeviceAWorkBeginsAtOnceAndItsDelayIsSaid() {
        Timeline full = timeline(20, run(0, 0, 0, 10), run(0, 1, 10, 20));
        Place place = BubbleFill.of(full, List.of(new Job("decode", Map.of(0, 50L)))).getFirst();
        assertEquals(0, place.afterSteps());
        assertEquals(50, place.delayNanos());
    }

    @Test
    void worksComeOneAfterAnother() {
        List<Place> places = BubbleFill.of(TURNS, List.of(new Job("decode", Map.of(1, 10L)),
            new Job("encode", Map.of(0, 10L, 1, 10L))));
        assertEquals(0, places.getFirst().startNanos());
        assertTrue(places.getLast().startNanos() >= 10, places::toString);
        assertEquals(0, places.getLast().delayNanos());
    }

    @Test
    void aWorkWithoutADeviceIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> BubbleFill.of(TURNS, List.of(new Job("decode", Map.of()))));
    }

    @Property(tries = 300)
    void noOtherPlaceIsBetterAndItsDelayIsWhatTheDeviceComputesMeanwhile(@ForAll long seed,
        @ForAll @IntRange(min = 1, max = 6) int steps, @ForAll @IntRange(min = 1, max = 60) int nanos) {
        Random random = new Random(seed);
        List<Span> spans = new ArrayList<>();
        long[] free = new long[2];
        for (int step = 0; step < steps; step++) {
            for (int lane = 0; lane < 2; lane++) {
                long start = free[lane] + random.nextInt(8);
                free[lane] = start + 1 + random.nextInt(8);
                spans.add(run(lane, step, start, free[lane]));
            }
        }
        Timeline timeline = timeline(Math.max(free[0], free[1]), spans.toArray(Span[]::new));
        Place place = BubbleFill.of(timeline, List.of(new Job("any", Map.of(0, (long) nanos, 1, (long) nanos))))
            .getFirst();
        assertEquals(busy(timeline, place.device(), place.startNanos(), nanos), place.delayNanos());
        double least = Double.MAX_VALUE;
        for (int device = 0; device < 2; device++) {
            for (int done = 0; done < steps; done++) {
                int before = done;
                long start = spans.stream().filter(span -> span.step() < before).mapToLong(Span::endNanos).max()
                    .orElse(0);
                least = Math.min(least, busy(timeline, device, start, nanos) + 0.1 * start);
            }
        }
        assertEquals(least, place.delayNanos() + 0.1 * place.startNanos(), 1e-9, place::toString);
    }

    /** Nanosecond by nanosecond. */
    private static long busy(Timeline timeline, int device, long start, long nanos) {
        return IntStream.range(0, (int) nanos).filter(nano -> {
            long time = (start + nano) % timeline.endNanos();
            return timeline.spans().stream().anyMatch(span -> span.lane() == device && span.startNanos() <= time
                && time < span.endNanos());
        }).count();
    }
}
