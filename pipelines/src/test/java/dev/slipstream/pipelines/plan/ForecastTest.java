package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class ForecastTest {
    private static double forecast(List<Integer> times, int wanted, IntToDoubleFunction value) {
        List<Double> weights = Edge.Form.Forecast.weights(times, wanted);
        return IntStream.range(0, times.size()).mapToDouble(i -> weights.get(i) * value.applyAsDouble(times.get(i)))
            .sum();
    }

    @Example
    void oneValueIsTakenAsItIs() {
        assertEquals(List.of(1.0), Edge.Form.Forecast.weights(List.of(4), 7));
    }

    @Property(tries = 1000)
    void aLineIsContinuedExactly(@ForAll @IntRange(min = 1, max = 5) int apart,
        @ForAll @IntRange(min = 1, max = 6) int ahead) {
        assertEquals(3 * (10 + ahead) - 2, forecast(List.of(10, 10 - apart), 10 + ahead, time -> 3 * time - 2), 1e-9);
    }

    @Property(tries = 1000)
    void aConstantStaysWhateverTheOrder(@ForAll @IntRange(min = 1, max = 3) int order,
        @ForAll @IntRange(min = 1, max = 6) int ahead) {
        List<Integer> times = IntStream.rangeClosed(0, order).map(back -> 12 - 3 * back).boxed().toList();
        assertEquals(5, forecast(times, 12 + ahead, time -> 5), 1e-9);
    }

    /** As the published code has it: the second difference is counted as made at the last value, not between. */
    @Example
    void theSecondOrderIsThatOfTheTaylorSeries() {
        double first = (9 - 4) / 2.0;
        double second = (first - (4 - 1) / 3.0) / 2.0;
        assertEquals(9 + first * 4 + second * 8, forecast(List.of(5, 3, 0), 9, time -> switch (time) {
            case 5 -> 9;
            case 3 -> 4;
            default -> 1;
        }), 1e-9);
    }
}
