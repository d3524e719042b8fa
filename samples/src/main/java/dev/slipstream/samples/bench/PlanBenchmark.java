package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.options.DeviceOptions;
import dev.slipstream.samples.terminal.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.IntConsumer;

/**
 * All plans side by side. In each round every one of them draws the same picture once, and each round starts with
 * another one, so that other work of the machine slows all of them alike. It owns the contenders.
 */
final class PlanBenchmark implements AutoCloseable {
    private static final List<String> PROMPTS = List.of(
        "a large red star on a blue background",
        "a small green circle at the left on a white background",
        "a large yellow heart at the center on a purple background",
        "a small blue square at the top on an orange background",
        "a large cyan ring at the right on a black background",
        "a small pink triangle at the bottom on a gray background",
        "a large white cross on a green background",
        "a small orange diamond at the center on a cyan background");

    private final List<Contender> contenders = new ArrayList<>();

    /** @param warned gets warnings, such as of prompts that are too long, again for every picture of every plan */
    PlanBenchmark(List<BenchPlan> plans, Supplier<DiffusionPipeline.Builder> model, Precision precision,
        Consumer<String> warned) {
        try {
            plans.forEach(plan -> contenders.add(new Contender(plan, model, precision, warned)));
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /** Requests with seeds from 0: first every prompt with the first seed, so that a row of pictures shows all. */
    static List<ImageRequest> requests(int prompts, int seeds) {
        if (prompts < 1 || prompts > PROMPTS.size()) {
            throw new InputException("--prompts takes 1 to " + PROMPTS.size() + ", not " + prompts
                + "; more pictures come with more --seeds");
        }
        if (seeds < 1) {
            throw new InputException("--seeds takes 1 or more, not " + seeds + "; leave it out for 2");
        }
        List<ImageRequest> requests = new ArrayList<>();
        for (int seed = 0; seed < seeds; seed++) {
            for (String prompt : PROMPTS.subList(0, prompts)) {
                requests.add(ImageRequest.of(prompt).withSeed(seed));
            }
        }
        return requests;
    }

    /**
     * Runs the rounds. Where there are fewer of them than pictures, the others are drawn without being timed.
     *
     * @param requests the pictures: round i draws picture i, from the start again after the last
     * @param progress called after each round with the number of rounds that are done
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

    /** The noise scheduler of all plans, for a request. */
    NoiseTable noise(ImageRequest request) {
        return contenders.getFirst().pipeline().spec().unwrap(request, NoiseTable.class);
    }

    /** What is inside the loop of each plan. @param foresight measures in turn with them */
    List<LoopProbe> probes(ImageRequest request, NoiseTable noise, int rounds, Foresight foresight) {
        return LoopProbe.of(contenders, request, noise, rounds, foresight::round);
    }

    /**
     * How long waiting requests take with each plan.
     *
     * @param count of requests at once; 0 to measure nothing
     * @param rounds of both ways
     */
    List<QueueRow> queues(List<ImageRequest> requests, int count, int rounds) {
        List<QueueRow> rows = new ArrayList<>();
        for (Contender contender : count == 0 ? List.<Contender>of() : contenders) {
            try (DiffusionPipeline overlapped = contender.overlapped()) {
                rows.add(QueueRow.of(contender.pipeline(), overlapped, requests, count, rounds));
            }
        }
        return rows;
    }

    /** What the rounds gave, and what was probed. @param queues one for each plan, or none */
    List<BenchRow> rows(List<LoopProbe> probes, List<QueueRow> queues) {
        return BenchRow.of(contenders, probes, queues);
    }

    /** In the order of the plans; the first is the baseline. */
    List<Contender> contenders() {
        return contenders;
    }

    @Override
    public void close() {
        contenders.reversed().forEach(Contender::close);
    }

    /** A plan with its pipeline open, and what it has drawn so far. One thread. */
    static final class Contender implements AutoCloseable {
        private final BenchPlan plan;
        private final Supplier<DiffusionPipeline.Builder> description;
        private final DiffusionPipeline pipeline;
        private final List<Double> loopMillis = new ArrayList<>();
        private final List<Image> pictures = new ArrayList<>();
        private long copiedBytes;
        private Plan ran;

        Contender(BenchPlan plan, Supplier<DiffusionPipeline.Builder> model, Precision precision,
            Consumer<String> warned) {
            this.plan = plan;
            this.description = () -> model.get().devices(plan.devices().toArray(String[]::new)).plan(plan.spec())
                .precision(precision.type()).replayed(plan.replayed()).warnings(warned);
            this.pipeline = description.get().open();
        }

        /** Builds engines and lets the JVM compile the loop; nothing of it is counted. */
        void warmUp(ImageRequest request) {
            copiedBytes = draw(request).copiedBytes();
        }

        /** @param timed whether the time counts; @param kept whether the picture counts */
        void take(ImageRequest request, boolean timed, boolean kept) {
            GeneratedImage drawn = draw(request);
            if (timed) {
                loopMillis.add(drawn.loopTime().toNanos() / 1e6);
            }
            if (kept) {
                pictures.add(drawn.image());
            }
        }

        private GeneratedImage draw(ImageRequest request) {
            GeneratedImage drawn = pipeline.submit(request).result().join();
            ran = drawn.plan();
            return drawn;
        }

        /** What it is called, with the plan that was chosen where none was given. */
        String label() {
            return isChosen() ? plan.label() + ": " + ran.strategy() : plan.label();
        }

        /** The plan that ran, as the command line takes it. */
        String spec() {
            return isChosen() ? ran.strategy() : plan.spec();
        }

        /** The devices on which it ran. */
        List<String> devices() {
            return isChosen() ? plan.devices().subList(0, ran.devices()) : plan.devices();
        }

        private boolean isChosen() {
            return plan.spec().equals(DeviceOptions.AUTO);
        }

        /** Another pipeline for the same, which overlaps requests; the caller's. */
        private DiffusionPipeline overlapped() {
            return description.get().overlapped(true).open();
        }

        BenchPlan plan() {
            return plan;
        }

        DiffusionPipeline pipeline() {
            return pipeline;
        }

        Spread loopMillis() {
            return Spread.of(loopMillis.stream().mapToDouble(Double::doubleValue).toArray());
        }

        List<Image> pictures() {
            return pictures;
        }

        /** Bytes that go between devices for one picture. */
        long copiedBytes() {
            return copiedBytes;
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }
}
