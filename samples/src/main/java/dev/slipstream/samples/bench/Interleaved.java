package dev.slipstream.samples.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Measures several ways to do the same in turn, so that other work of the machine slows all of them alike. */
final class Interleaved {
    private Interleaved() {
    }

    /**
     * Warms up by doing each way once, then does each way once in each round; each round starts with another one.
     *
     * @param measured does one of them and gives the measurement
     * @return for each way a list with a measurement for each round
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
