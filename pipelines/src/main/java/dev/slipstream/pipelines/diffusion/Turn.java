package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.plan.Plan;
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
    private final ResolvedRequest request;
    private final BuiltModel model;
    private final Map<String, MemorySegment> given;

    /**
     * Makes what the loop is given, but for latents of another model.
     *
     * @param arena where that lives
     */
    Turn(ResolvedRequest request, BuiltModel model, Arena arena) {
        this.request = request;
        this.model = model;
        this.given = new RequestTensors(request, arena).make(model.text(), model.pictureEncoder());
    }

    Plan plan() {
        return request.draft().blueprint(request.shape()).plan();
    }

    NoiseTable noise() {
        return request.noise();
    }

    /** Bytes that go from one device to another. */
    long copiedBytes() {
        return model.loop().program().copiedBytes();
    }

    /** What is told of it in the end, where another model was before. */
    Refinement refinement() {
        return new Refinement(request.model().folder().name(), request.span().start(), noise().name(), plan(),
            noise().steps());
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
        if (!request.span().isFirst()) {
            given.put(Program.LATENTS, latents);
        }
        model.loop().run(given,
            generation.observer(request.stepsBefore(), steps, step -> previews(step, latents, decoder)));
        model.loop().latents(noise().steps() - 1, latents);
    }

    private List<Image> previews(int step, MemorySegment latents, ImageDecoder decoder) {
        if (!model.loop().program().estimates().containsKey(step)) {
            return List.of();
        }
        // Latents of the model before have been read by now.
        model.loop().estimate(step, latents);
        return decoder.decodeAll(latents, request.latents().shape());
    }
}
