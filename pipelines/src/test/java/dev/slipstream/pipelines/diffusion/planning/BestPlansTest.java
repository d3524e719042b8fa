package dev.slipstream.pipelines.diffusion.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Asked;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Chosen;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans for the sample model, that nobody asked for by name. */
class BestPlansTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static PipelineSpec paper;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        paper = DiffusionPipeline.of(MODEL).devices("cpu:1").plan("sequential").spec();
    }

    @AfterAll
    static void close() {
        paper.close();
    }

    private static ImageRequest request(int steps) {
        return ImageRequest.of("a red star").withSteps(steps).withGuidance(4);
    }

    private static PartitionedDenoiser denoiser() {
        return paper.unwrap(request(20), PartitionedDenoiser.class);
    }

    private static Asked asked(int steps) {
        return new Asked(denoiser().shape(), paper.unwrap(request(steps), NoiseTable.class), Guidance.of(4), Map.of(),
            0);
    }

    private static Site site(int devices) {
        return PipelineSite.estimated(Collections.nCopies(devices, DeviceSpec.HOST), Devices.discover(),
            Precision.FP32);
    }

    private BestPlans plans(String preference, int devices) {
        return new BestPlans(denoiser().denoiser(), MODEL, Preference.parse(preference), devices,
            print -> site(devices), new KeptChoices(folder.resolve("plans")));
    }

    private static Plan plan(Chosen chosen) {
        return chosen.partitioner().partition(denoiser().shape()).plan();
    }

    private static long nanos(Plan plan, int steps, int devices) {
        Loop loop = new Loop(denoiser().denoiser(), denoiser().shape(), asked(steps).noise(), Guidance.of(4));
        return new PlanEvaluator(loop, site(devices), 0, spec -> OptionalDouble.empty())
            .forecast(new Candidate(plan.strategy(), plan.devices())).nanos();
    }

    @ParameterizedTest
    @CsvSource({"exact,2,20", "balanced,1,20", "balanced,2,20", "fast,3,20", "balanced,2,3"})
    void whatIsChosenIsPredictedNoSlowerThanOneDeviceAndTheSameEachTime(String preference, int devices, int steps) {
        Plan chosen = plan(plans(preference, devices).of(asked(steps)));
        assertTrue(chosen.devices() <= devices, chosen::toString);
        Plan alone = paper.plan(request(steps));
        assertTrue(nanos(chosen, steps, devices) <= nanos(alone, steps, devices), chosen::strategy);
        BestPlans again = new BestPlans(denoiser().denoiser(), MODEL, Preference.parse(preference), devices,
            print -> site(devices), new KeptChoices(folder.resolve("others")));
        assertEquals(chosen, plan(again.of(asked(steps))));
    }

    @Test
    void whereNothingMayBeGivenUpThePlanIsExact() {
        assertEquals("cfg-split", plan(plans("exact", 2).of(asked(20))).strategy());
    }

    @Test
    void stepsThatHaveLittleInCommonAreNotLagged() {
        assertTrue(List.of("cfg-split", "sequential").contains(plan(plans("fast", 2).of(asked(4))).strategy()));
    }

    @Test
    void aChoiceIsMadeOnceForAllThatAskAlike() {
        BestPlans plans = plans("balanced", 2);
        Chosen first = plans.of(asked(20));
        assertSame(first.partitioner(), plans.of(asked(20)).partitioner());
        assertTrue(first.reason().orElseThrow().contains("estimates"), first.reason()::orElseThrow);
        assertEquals(first.reason(), plans("balanced", 2).of(asked(20)).reason(), "another process finds it");
    }

    @Test
    void ofWhatIsDecidedInTheLoopItIsAssumedWhenItRuns() {
        Loop loop = new Loop(denoiser().denoiser(), denoiser().shape(), asked(20).noise(), Guidance.of(4));
        PlanEvaluator evaluator = new PlanEvaluator(loop, site(1), 0, spec -> OptionalDouble.empty());
        PlanForecast decided = evaluator.forecast(new Candidate("cache:decide=first-block,threshold=0.1", 1));
        PlanForecast counted = evaluator.forecast(new Candidate("cache:every=2", 1));
        PlanForecast alone = evaluator.forecast(new Candidate("sequential", 1));
        assertTrue(decided.assumed() && !counted.assumed());
        assertEquals(counted.staleness(), decided.staleness());
        assertTrue(decided.nanos() < 0.9 * alone.nanos(), decided::toString);
        // It compares, too, and adds what it keeps.
        assertEquals(1, (double) decided.nanos() / counted.nanos(), 0.15);
    }

    @Test
    void whatNoPlanCanDoIsRefusedAsOneDeviceRefusesIt() {
        Asked wrong = new Asked(denoiser().shape(), asked(20).noise(), Guidance.of(4),
            Map.of("no such module", Set.of(1)), 0);
        assertThrows(PlanException.class, () -> plans("balanced", 2).of(wrong));
    }

    @Test
    void aPipelineThatIsToldNothingChoosesForItsDevices() {
        try (PipelineSpec two = DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1").spec();
            PipelineSpec one = DiffusionPipeline.of(MODEL).devices("cpu:1").spec();
            PipelineSpec same = DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1").plan("auto").prefer("balanced")
                .spec();
            PipelineSpec asked = DiffusionPipeline.of(MODEL).devices("cpu:1").prefer("fast").spec()) {
            assertEquals(two.plan(request(20)), same.plan(request(20)));
            assertEquals("sequential", one.plan(request(20)).strategy());
            assertTrue(asked.plan(request(20)).strategy().contains("cache"), asked.plan(request(20))::strategy);
        }
        assertThrows(IllegalArgumentException.class, () -> DiffusionPipeline.of(MODEL).prefer("nice"));
    }
}
