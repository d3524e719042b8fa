package dev.slipstream.samples.predict;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Subject;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * What is asked of a model, as far as plans depend on it.
 *
 * @param loop denoiser, shapes and steps
 * @param componentBytes of the model's other parts
 * @param keys what its parts are
 */
public record Question(Loop loop, long componentBytes, RequestKeys keys) {
    /** @param request completed */
    public static Question of(PipelineSpec spec, ImageRequest request) {
        return of(spec.unwrap(request, PartitionedDenoiser.class), spec.unwrap(request, NoiseTable.class),
            request.guidance(), spec.unwrap(request, MemoryNeed[].class), spec.unwrap(request, RequestKeys.class));
    }

    /** @param request completed */
    static Question of(PipelineSpec spec, VideoRequest request) {
        return of(spec.unwrap(request, PartitionedDenoiser.class), spec.unwrap(request, NoiseTable.class),
            request.guidance(), spec.unwrap(request, MemoryNeed[].class), spec.unwrap(request, RequestKeys.class));
    }

    private static Question of(PartitionedDenoiser any, NoiseTable noise, OptionalDouble guidance,
        MemoryNeed[] needs, RequestKeys keys) {
        return new Question(new Loop(any.denoiser(), any.shape(), noise, new Guidance(guidance.orElse(1), 0)),
            needs[0].componentBytes(), keys);
    }

    /** What decides which plans are worth a look. */
    Subject subject() {
        return Subject.of(loop.denoiser(), loop.shape().guided(), steps());
    }

    int steps() {
        return loop.noise().steps();
    }

    /**
     * @param site the devices that there are
     * @param quality what was measured of plans' pictures
     */
    public PlanEvaluator evaluator(Site site, Function<String, OptionalDouble> quality) {
        return new PlanEvaluator(loop, site, componentBytes, quality);
    }
}
