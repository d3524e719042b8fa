package dev.slipstream.pipelines.run.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Interconnect.Route;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.unroll.Loops;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What others published of their schedules, simulated. */
class PublishedSchedulesTest {
    private static final long UNIT = 1_000_000;

    /**
     * DiffusionPipe (Tian et al., MLSys 2024), figure 4: what is left idle of a pipeline of S stages and M
     * micro-batches, in T, the time of the backbone on one device; before it a frozen part, its work divided among all
     * devices. The pipeline fills as in GPipe; forwards and backwards make the same triangle twice, so forwards alone
     * have the same shares.
     *
     * @param ratio of the frozen part's time to T
     */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.4384, 0.8945})
    void theBubblesOfAPipelineAreThoseOfDiffusionPipe(double ratio) {
        for (int stages = 1; stages <= 8; stages++) {
            for (int batches = 1; batches <= 16; batches++) {
                double backbone = (double) UNIT * stages * batches;
                long frozen = Math.round(ratio * backbone / stages);
                double bubble = (stages - 1.0) / (stages * batches);
                double iteration = (batches + stages - 1.0) / (stages * batches) + ratio / stages;

                Timeline timeline = Simulator.simulate(pipeline(stages, batches), Machine.ideal(stages,
                    (device, work) -> ((Work.Run<?>) work).stage() == 0 ? frozen : UNIT)).timeline();

                String which = stages + " stages, " + batches + " micro-batches";
                assertEquals(iteration, timeline.endNanos() / backbone, 0.0005, which);
                for (int device = 0; device < stages; device++) {
                    assertEquals(bubble, timeline.bubbles(device).nanos() / backbone, 0.0005, which);
                    assertEquals(bubble / iteration, 1 - timeline.utilisation(device), 0.0005, which);
                }
            }
        }
    }

    /** Stage 0 is the frozen part, on every device; stage s + 1 the backbone's s-th, on device s. */
    private static Program pipeline(int stages, int batches) {
        Steps steps = new Steps(stages);
        for (int device = 0; device < stages; device++) {
            steps.run(device, 0);
        }
        for (int batch = 0; batch < batches; batch++) {
            for (int stage = 0; stage < stages; stage++) {
                if (stage > 0) {
                    steps.then(stage - 1, stage);
                }
                steps.run(stage, stage + 1);
            }
        }
        return steps.end(stages - 1).program();
    }

    /** PipeFusion (Fang et al., 2024): M·S/(M·S + N−1) of the devices' time is used in S steps after warm-up. */
    @ParameterizedTest
    @CsvSource({"2, 2, 11", "2, 8, 11", "3, 4, 6", "4, 4, 51", "4, 8, 21", "8, 8, 29"})
    void patchesUseAsMuchOfTheirDevicesAsPublished(int parts, int patches, int steps) {
        Plan plan = Strategy.parse("pipefusion:parts=" + parts + ",patches=" + patches)
            .plan(Loops.pipe(parts, patches), "eps", parts, false);
        Program program = Unroller.unroll(plan,
            Loops.banded(plan.segments(), Loops.predictions(steps), patches), true);

        Timeline timeline = Simulator.simulate(program,
            Machine.ideal(parts, (device, work) -> work instanceof Work.Run<?> ? UNIT : 0)).timeline();

        long warmUp = parts * UNIT;
        double used = patches * (steps - 1);
        assertEquals(used / (used + parts - 1),
            timeline.between(warmUp, timeline.endNanos()).utilisation(), 1e-9);
    }

    /**
     * AsyncDiff (Chen et al., NeurIPS 2024), table 1: seconds of Stable Diffusion 2.1 in 50 steps, of 5.51 on one
     * device. Shares are those of the published cuts' multiply-accumulates. Copies hold up the devices that read, as
     * the published broadcasts do, and each takes as long as all broadcasts of a round did (seconds of tables 5 and 6
     * by rounds).
     */
    @ParameterizedTest
    @CsvSource({"'n=2', 2, 0.474 0.526, 0.13, 3.03", "'n=3', 3, 0.330 0.385 0.285, 0.23, 2.41",
        "'n=4', 4, 0.250 0.275 0.220 0.255, 0.40, 2.10", "'n=2,stride=2,form=paper', 3, 0.474 0.526, 0.12, 1.82",
        "'n=3,stride=2,form=paper', 4, 0.330 0.385 0.285, 0.10, 1.35"})
    void asyncDiffTakesAsLongAsPublished(String settings, int devices, String shares, double copying,
        double published) {
        double step = 5.51e9 / 50;
        List<Double> costs = Stream.of(shares.split(" ")).map(share -> Double.parseDouble(share) * step).toList();
        Plan plan = Strategy.parse("asyncdiff:warmup=1," + settings)
            .plan(Loops.chain(costs.size()), "eps", devices, false);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), 50), false);
        int rounds = plan.cadence().stride() == 2 ? 25 : 49;
        long copy = Math.round(copying * 1e9 / rounds);

        Forecast forecast = Simulator.simulate(program, Machine.ideal(devices, (device, work) ->
            work instanceof Work.Run<?> run ? Math.round(costs.get(plan.segment(run.stage()).component())) : 0)
            .with((from, to) -> new Route(copy, List.of())));

        assertEquals(published, forecast.latencyNanos() / 1e9, published * 0.1);
    }
}
