package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.Conditions.Numbers;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A request as a model reads it: sizes, steps, where the loop starts, and what the denoiser is told. Methods throw
 * {@link IllegalArgumentException} where the request brings what such a model does not take, or lacks what it needs.
 *
 * @param pixelsPerLatent along each side
 * @param span the part of the steps that the model takes
 */
record Commission(PipelineModel model, int pixelsPerLatent, ImageRequest request, NoiseSpan span) {
    /**
     * Whether the request's picture becomes latents; that of an upscaler stays as it is, and where another model has
     * begun, it has taken the picture in.
     */
    boolean encodesPicture() {
        return request.given().isPresent() && model.extra() != ExtraChannels.PICTURE && span.isFirst();
    }

    /** Whether the known part of a picture is put back after every step. */
    boolean repaints() {
        return model.extra() == ExtraChannels.NONE && isMasked();
    }

    private boolean isMasked() {
        return request.given().filter(given -> given.mask().isPresent()).isPresent();
    }

    /** Whether each latent is predicted twice. */
    boolean isGuided() {
        return request.isGuided() && !model.conditions().isDistilled();
    }

    Guidance loopGuidance() {
        if (request.guidance().isRescaled() && !isGuided()) {
            throw new IllegalArgumentException("guidance is rescaled where there is some: leave out the rescale, or "
                + "take " + (model.conditions().isDistilled() ? "a model that was not taught guidance"
                : "more guidance than 1"));
        }
        return isGuided() ? request.guidance() : Guidance.NONE;
    }

    PromptPair prompts() {
        return new PromptPair(isGuided() ? request.negative() : "", request.prompt(), request.conditioning().reading());
    }

    /** The request with all that it leaves to the model filled in. */
    ImageRequest completed() {
        Size size = size(shape().latents());
        return request.withScheduler(noise().name()).withSize(size.width(), size.height());
    }

    /** The steps that are taken. */
    NoiseTable noise() {
        NoiseScheduler scheduler = request.scheduler().map(model.scheduler()::withMethod).orElse(model.scheduler());
        if (!encodesPicture()) {
            return scheduler.table(request.steps(), 0, span);
        }
        double strength = request.given().get().usedStrength();
        int taken = (int) Math.min(request.steps() * strength, request.steps());
        if (taken == 0) {
            throw new IllegalArgumentException("strength " + strength + " of " + request.steps()
                + " steps is less than one step; take more steps or a larger strength");
        }
        NoiseTable table = scheduler.table(request.steps(), request.steps() - taken, span);
        return repaints() ? table.repainting(start(table)) : table;
    }

    /** How the first latents are mixed: from noise alone, or by the noise scheduler's rule for a picture. */
    Mix start(NoiseTable noise) {
        boolean fresh = !encodesPicture() || isMasked() && request.given().get().usedStrength() == 1;
        return fresh ? new Mix(0, noise.initialScale()) : noise.start();
    }

    LoopShape shape() {
        model.extra().check(request);
        if (model.conditions().isRefiner() && request.given().isEmpty() && span.isFirst()) {
            throw new IllegalArgumentException("this model refines a picture that another has drawn; give one, or "
                + "let the other model begin and make this one its refiner");
        }
        TensorType latents = latents();
        boolean guided = isGuided();
        Map<String, TensorType> types = new LinkedHashMap<>(texts());
        numbers(latents).forEach((name, numbers) -> types.put(name, numbers.type(model.denoiser(), name)));
        long rows = (guided ? 2L : 1) * request.batch();
        types.replaceAll((name, type) -> LoopShape.withRows(type, rows));
        return new LoopShape(latents, model.config().inChannels() - model.config().outChannels(), guided, types);
    }

    private Map<String, TensorType> texts() {
        int chunks = model.texts().chunks(prompts());
        Map<String, TensorType> texts = model.texts().types(chunks);
        OptionalLong only = model.denoiser().fixedSize(TextModels.STATES, 1);
        if (chunks > 1 && only.isPresent()) {
            throw new GraphException("the denoiser's graph was exported for texts of " + only.getAsLong()
                + " tokens only, and these long prompts take " + texts.get(TextModels.STATES).shape().dim(1)
                + "; let them be cut, or take a graph that leaves the length open, or the checkpoint");
        }
        return texts;
    }

    /** The numbers that the denoiser is told, by the names of its inputs. */
    Map<String, Numbers> numbers(TensorType latents) {
        return model.conditions().of(request, size(latents), mask(latents));
    }

    /** What is drawn of a picture, where the model itself takes no mask. */
    Optional<RepaintMask> mask(TensorType latents) {
        return repaints() ? Optional.of(RepaintMask.of(picture(latents).mask().orElseThrow(), pixelsPerLatent))
            : Optional.empty();
    }

    /** The given picture at the size of what is drawn. */
    GivenImage picture(TensorType latents) {
        return request.given().orElseThrow().scaledTo(size(latents).width(), size(latents).height());
    }

    private Size size(TensorType latents) {
        return new Size(Math.toIntExact(latents.shape().dim(3) * pixelsPerLatent),
            Math.toIntExact(latents.shape().dim(2) * pixelsPerLatent));
    }

    private TensorType latents() {
        long height;
        long width;
        if (model.extra() == ExtraChannels.PICTURE) {
            Image picture = request.given().orElseThrow().image();
            height = picture.height();
            width = picture.width();
            if (request.height().orElse(picture.height() * pixelsPerLatent) != height * pixelsPerLatent
                || request.width().orElse(picture.width() * pixelsPerLatent) != width * pixelsPerLatent) {
                throw new IllegalArgumentException("this model enlarges a picture " + pixelsPerLatent
                    + " times; leave out the size");
            }
            int multiple = model.denoiser().sideMultiple();
            if (height % multiple != 0 || width % multiple != 0) {
                throw new IllegalArgumentException("height and width of the given picture must be multiples of "
                    + multiple + " pixels for this model, not " + picture);
            }
        } else {
            height = side("height", request.height(), request.given().map(given -> given.image().height()),
                model.config().sampleHeight());
            width = side("width", request.width(), request.given().map(given -> given.image().width()),
                model.config().sampleWidth());
        }
        return TensorType.of(DataType.FLOAT32, request.batch(), model.config().outChannels(), height, width);
    }

    private long side(String name, OptionalInt wanted, Optional<Integer> given, int usual) {
        if (wanted.isEmpty() && given.isEmpty()) {
            return usual;
        }
        int pixels = wanted.orElseGet(given::get);
        int multiple = pixelsPerLatent * model.denoiser().sideMultiple();
        if (pixels < multiple || pixels % multiple != 0) {
            int below = pixels / multiple * multiple;
            throw new IllegalArgumentException("the " + name + " must be a multiple of " + multiple
                + " pixels for this model, " + (below == 0 ? "" : below + " or ") + (below + multiple) + ", not "
                + pixels + (wanted.isEmpty() ? ", as the given picture has; say a size to which it is scaled" : ""));
        }
        return pixels / pixelsPerLatent;
    }
}
