package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.Estimates;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * A model's part of the pictures of a request: all steps, or those that it has where several models share them. Its
 * engines are built before. One thread.
 */
final class Turn {
    private final PipelineDraft draft;
    private final Commission commission;
    private final EngineCache engines;
    private final NoiseTable noise;
    private final Execution execution;
    private final int stepsBefore;
    private Map<String, MemorySegment> given;

    /** @param stepsBefore steps that other models take before */
    Turn(PipelineDraft draft, Commission commission, EngineCache engines, int stepsBefore) {
        this.draft = draft;
        this.commission = commission;
        this.engines = engines;
        this.noise = commission.noise();
        this.execution = engines.execution(noise, commission.loopGuidance(),
            new Estimates(commission.request().previewEvery(), stepsBefore, !draft.span().isLast()));
        this.stepsBefore = stepsBefore;
    }

    PipelineDraft draft() {
        return draft;
    }

    Blueprint blueprint() {
        return draft.blueprint(commission.shape());
    }

    /** The type of the latents, float32. */
    TensorType latents() {
        return commission.shape().latents();
    }

    NoiseTable noise() {
        return noise;
    }

    /** Bytes that go from one device to another. */
    long copiedBytes() {
        return execution.program().copiedBytes();
    }

    /** What is told of it in the end, where another model was before. */
    Refinement refinement() {
        return new Refinement(commission.model().folder().name(), draft.span().start(), noise.name(),
            blueprint().plan(), noise.steps());
    }

    /** Makes what the loop is given, but for latents of another model. */
    void encode(Arena arena) {
        given = new RequestTensors(commission, noise, latents(), arena).make(engines, stepsBefore);
    }

    /**
     * Takes the steps.
     *
     * @param latents those that the model before has left, if there is one, as its noise scheduler scales them; then
     *     those after the last step
     * @param steps of the whole picture
     * @param decoder for previews
     */
    void run(MemorySegment latents, int steps, Generation generation, ImageDecoder decoder) {
        if (!draft.span().isFirst()) {
            given.put(Program.LATENTS, latents);
        }
        execution.run(given, generation.observer(stepsBefore, steps, step -> previews(step, latents, decoder)));
        execution.latents(noise.steps() - 1, latents);
    }

    private List<Image> previews(int step, MemorySegment latents, ImageDecoder decoder) {
        if (!execution.program().estimates().containsKey(step)) {
            return List.of();
        }
        // Latents of the model before have been read by now.
        execution.estimate(step, latents);
        return decoder.decodeAll(latents, latents().shape());
    }
}
