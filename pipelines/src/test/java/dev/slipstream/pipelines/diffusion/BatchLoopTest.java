package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One loop for two pictures ends at the latents at which two loops end, one for each. */
@Timeout(120)
class BatchLoopTest {
    /** Of the largest latent, for kernels that sum in another order where there are more rows; most do not. */
    private static final double ROUNDING = 1e-4;

    @TempDir
    private Path folder;

    private ImageRequest write(Family family) {
        RandomModel.write(folder, family);
        return FamiliesTest.request(family);
    }

    private void assertBatchIsEachAlone(String plan, ImageRequest request) {
        String[] devices = new String[plan.equals("sequential") ? 1 : 2];
        Arrays.fill(devices, "cpu:1");
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices(devices).plan(plan).open();
             EngineCache engines = new EngineCache(pipeline.devices(), LoopOptions.DEFAULT, OptionalLong.empty())) {
            float[] first = latents(pipeline.spec(), engines, request);
            float[] second = latents(pipeline.spec(), engines, request.withSeed(request.seed().orElseThrow() + 1));
            float[] both = latents(pipeline.spec(), engines, request.withBatch(2));
            double one = distance(first, Arrays.copyOf(both, first.length));
            double two = distance(second, Arrays.copyOfRange(both, first.length, both.length));
            assertTrue(one < ROUNDING && two < ROUNDING, plan + ": the pictures differ by " + one + " and " + two);
            assertTrue(distance(first, second) > 0.1, plan + ": seeds differ by " + distance(first, second));
        }
    }

    private static float[] latents(PipelineSpec spec, EngineCache engines, ImageRequest request) {
        ResolvedRequest resolved = spec.resolve(request).getFirst();
        RequestEngines built = engines.build(List.of(resolved.keys()), () -> {
        }).getFirst();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment latents = arena.allocate(resolved.latents().bytes(), 64);
            new DenoisingPass(resolved, built, arena).run(latents, resolved.noise().steps(),
                new RunningRequest<>(Callbacks.onOwnThreads(), () -> {
                }), built.decoder().orElseThrow());
            return latents.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** The largest difference, of the largest latent. */
    private static double distance(float[] one, float[] other) {
        double most = 0;
        double largest = 0;
        for (int i = 0; i < one.length; i++) {
            most = Math.max(most, Math.abs(one[i] - other[i]));
            largest = Math.max(largest, Math.abs(one[i]));
        }
        return most / largest;
    }

    @ParameterizedTest
    @Tag("slow")
    @EnumSource(Family.class)
    void everyFamilyDrawsEachPictureAsAlone(Family family) {
        ImageRequest request = write(family);
        assertBatchIsEachAlone("sequential", request);
        assertBatchIsEachAlone("asyncdiff:warmup=1", request);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cfg-split", "asyncdiff:warmup=1,staleness=reference",
        "asyncdiff:stride=2,warmup=1,form=reuse", "asyncdiff:stride=2,warmup=1,form=paper"})
    void everyPlanDrawsEachPictureAsAlone(String plan) {
        assertBatchIsEachAlone(plan, write(Family.STABLE_DIFFUSION));
    }

    @ParameterizedTest
    @ValueSource(strings = {"euler-ancestral", "dpm++2m-sde", "lcm"})
    void freshNoiseOfEveryStepIsThatOfThePicturesOwnSeed(String scheduler) {
        assertBatchIsEachAlone("sequential", write(Family.STABLE_DIFFUSION).withScheduler(scheduler).withGuidance(1)
            .withGuidanceRescale(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "euler-ancestral"})
    void aGivenPictureIsTheStartOfEveryPictureAndItsKnownPartStaysInAll(String scheduler) {
        ImageRequest request = write(Family.STABLE_DIFFUSION).withScheduler(scheduler);
        GivenImage given = GivenImage.of(FamiliesTest.picture(16, 16));
        assertBatchIsEachAlone("sequential", request.withGiven(given.withStrength(0.75)));
        GivenImage masked = given.withMask(FamiliesTest.mask(16, 16));
        assertBatchIsEachAlone("asyncdiff:warmup=1", request.withGiven(masked));
        assertBatchIsEachAlone("cfg-split", request.withGiven(masked.withStrength(0.75)));
    }
}
