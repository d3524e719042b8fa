package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.graph.precision.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * All plans side by side. In each round every one of them draws the same picture once, and each round starts with
 * another one, so that whatever the machine does meanwhile hits all alike. It owns the contenders.
 */
final class Contest implements AutoCloseable {
    private final List<Contender> contenders = new ArrayList<>();

    /** @param warned is told what is cut off the prompts, anew for every picture of every plan */
    Contest(List<BenchPlan> plans, Path model, Precision precision, Consumer<String> warned) {
        try {
            plans.forEach(plan -> contenders.add(new Contender(plan, model, precision, warned)));
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /**
     * Runs the rounds. Where there are fewer of them than pictures, the others are drawn without being timed.
     *
     * @param requests the pictures: round i draws picture i, from the start again after the last
     * @param progress is told how many rounds are done
     */
    void run(List<ImageRequest> requests, int rounds, IntConsumer progress) {
        contenders.forEach(contender -> contender.warmUp(requests.getFirst()));
        for (int round = 0; round < Math.max(rounds, requests.size()); round++) {
            for (int turn = 0; turn < contenders.size(); turn++) {
                contenders.get((round + turn) % contenders.size())
                    .take(requests.get(round % requests.size()), round < rounds, round < requests.size());
            }
            progress.accept(round + 1);
        }
    }

    /** In the order of the plans; the first is the baseline. */
    List<Contender> contenders() {
        return contenders;
    }

    @Override
    public void close() {
        contenders.reversed().forEach(Contender::close);
    }
}
