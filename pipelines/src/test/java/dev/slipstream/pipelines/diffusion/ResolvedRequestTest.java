package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A request is worked out once; all that draws it has the same values. */
@Timeout(120)
class ResolvedRequestTest {
    private static final ImageRequest STAR = FamiliesTest.request(Family.STABLE_DIFFUSION).withSteps(2);

    @TempDir
    private Path folder;

    @BeforeEach
    void write() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
    }

    @Test
    void enginesAndLoopAreAskedForWithTheValuesThatWereWorkedOut() {
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            ResolvedRequest request = spec.resolve(STAR).getFirst();
            RequestKeys keys = request.keys();
            assertSame(keys, request.keys());
            assertSame(request.shape(), keys.loop().denoiser().shape());
            assertSame(request.noise(), keys.loop().noise());
            assertSame(request.prompts(), request.prompts());
            assertSame(request.denoiser(), request.denoiser());
            assertSame(request.denoiser(), spec.denoiser(STAR.withSeed(2)));
        }
    }

    @Test
    void aPromptIsReadOnceAndFilledUpToTheLongerOne() {
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            assertEquals(1, spec.resolve(STAR).getFirst().prompts().chunks());
            assertEquals(1, spec.resolve(STAR).getFirst().prompts().encoders().size());
        }
    }

    @Test
    void aProgramIsUnrolledOnceForRequestsThatDifferInPromptAndSeed() {
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec();
             Device cpu = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
             EngineCache engines = new EngineCache(List.of(cpu), LoopOptions.DEFAULT, OptionalLong.empty())) {
            RequestEngines first = built(spec, engines, STAR);
            assertSame(first.loop(), built(spec, engines, STAR.withSeed(STAR.seed().orElseThrow() + 1)).loop());
            RequestEngines more = built(spec, engines, STAR.withSteps(3));
            assertNotSame(first.loop(), more.loop());
            assertSame(first.text(), more.text());
            assertSame(first.loop(), built(spec, engines, STAR).loop());
        }
    }

    private static RequestEngines built(PipelineSpec spec, EngineCache engines, ImageRequest request) {
        return engines.build(List.of(spec.resolve(request).getFirst().keys()), () -> {
        }).getFirst();
    }
}
