package dev.slipstream.samples.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Measures several ways to do the same so that whatever else the machine does meets them alike. */
final class Interleaved {
    private Interleaved() {
    }

    /**
     * Does everything once unmeasured, then in each round each way once, beginning with another one.
     *
     * @param measured does it, and says what was measured
     * @return by way, in the order of the ways: one measurement a round
     */
    static <T, R> List<List<R>> measure(List<T> ways, int rounds, Function<T, R> measured) {
        ways.forEach(measured::apply);
        List<List<R>> all = new ArrayList<>();
        ways.forEach(way -> all.add(new ArrayList<>()));
        for (int round = 0; round < rounds; round++) {
            for (int turn = 0; turn < ways.size(); turn++) {
                int way = (round + turn) % ways.size();
                all.get(way).add(measured.apply(ways.get(way)));
            }
        }
        return all;
    }
}
