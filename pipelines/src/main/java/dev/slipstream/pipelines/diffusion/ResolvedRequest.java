package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.Conditions.Numbers;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.run.Estimates;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A request as a model reads it, worked out once: sizes, steps, where the loop starts, and what the denoiser is told.
 * Whoever has one has a request that the model can draw, as far as that is known before the denoiser is cut. Immutable.
 */
final class ResolvedRequest {
    private final PipelineDraft draft;
    private final PipelineModel model;
    private final ImageRequest request;
    private final int stepsBefore;
    private final List<String> warnings;
    private final NoiseTable noise;
    private final TensorType latents;
    private final Optional<RepaintMask> mask;
    private final Map<String, Numbers> numbers;
    private final LoopShape shape;
    private final Guidance guidance;

    /**
     * @param draft of the model
     * @param stepsBefore steps that other models take before
     * @throws RuntimeException as {@link PipelineDraft#check}
     */
    ResolvedRequest(PipelineDraft draft, ImageRequest request, int stepsBefore) {
        this.draft = draft;
        this.model = draft.model();
        this.request = request;
        this.stepsBefore = stepsBefore;
        // Refuses texts that no tokenizer should see.
        List<String> cut = model.texts().complaints(prompts());
        this.noise = makeNoise();
        this.warnings = Stream.concat(cut.stream(), model.denoiser().complaint(() -> noise.rows().stream()
            .mapToDouble(NoiseTable.Row::timestep)).stream()).toList();
        model.extra().check(request);
        if (model.conditions().isRefiner() && request.given().isEmpty() && span().isFirst()) {
            throw new IllegalArgumentException("this model refines a picture that another has drawn; give one, or "
                + "let the other model begin and make this one its refiner");
        }
        this.latents = makeLatents();
        this.mask = repaints()
            ? Optional.of(RepaintMask.of(picture().mask().orElseThrow(), pixelsPerLatent())) : Optional.empty();
        this.numbers = model.conditions().of(request, size(), mask);
        this.shape = makeShape();
        this.guidance = makeGuidance();
        model.texts().models(request.conditioning().clipSkip());
        if (span().isLast()) {
            draft.autoencoder().check(latents);
        }
        if (encodesPicture()) {
            draft.autoencoder().encoderGraph();
        }
    }

    PipelineDraft draft() {
        return draft;
    }

    PipelineModel model() {
        return model;
    }

    ImageRequest request() {
        return request;
    }

    /** The part of the steps that the model takes. */
    NoiseSpan span() {
        return draft.span();
    }

    /** Along each side. */
    int pixelsPerLatent() {
        return draft.autoencoder().pixelsPerLatent();
    }

    /** Steps that other models take before. */
    int stepsBefore() {
        return stepsBefore;
    }

    /** After which steps of this model's loop the clean image that the step expects is read. */
    Estimates estimates() {
        return new Estimates(request.previewEvery(), stepsBefore, !span().isLast());
    }

    /** What the model will not see of prompts and timesteps, one sentence each. */
    List<String> warnings() {
        return warnings;
    }

    /**
     * Whether the request's picture becomes latents; that of an upscaler stays as it is, and where another model has
     * begun, it has taken the picture in.
     */
    boolean encodesPicture() {
        return request.given().isPresent() && model.extra() != ExtraChannels.PICTURE && span().isFirst();
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

    /** Of the loop: none where nothing is predicted twice. */
    Guidance guidance() {
        return guidance;
    }

    private Guidance makeGuidance() {
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
        return request.withScheduler(noise.name()).withSize(size().width(), size().height());
    }

    /** The steps that are taken. */
    NoiseTable noise() {
        return noise;
    }

    private NoiseTable makeNoise() {
        NoiseScheduler scheduler = request.scheduler().map(model.scheduler()::withMethod).orElse(model.scheduler());
        if (!encodesPicture()) {
            return scheduler.table(request.steps(), 0, span());
        }
        double strength = request.given().get().usedStrength();
        int taken = (int) Math.min(request.steps() * strength, request.steps());
        if (taken == 0) {
            throw new IllegalArgumentException("strength " + strength + " of " + request.steps()
                + " steps is less than one step; take more steps or a larger strength");
        }
        NoiseTable table = scheduler.table(request.steps(), request.steps() - taken, span());
        return repaints() ? table.repainting(start(table)) : table;
    }

    /** How the first latents are mixed: from noise alone, or by the noise scheduler's rule for a picture. */
    Mix start() {
        return start(noise);
    }

    private Mix start(NoiseTable table) {
        boolean fresh = !encodesPicture() || isMasked() && request.given().get().usedStrength() == 1;
        return fresh ? new Mix(0, table.initialScale()) : table.start();
    }

    /** What the denoiser is fixed to. */
    LoopShape shape() {
        return shape;
    }

    private LoopShape makeShape() {
        boolean guided = isGuided();
        Map<String, TensorType> types = new LinkedHashMap<>(texts());
        numbers.forEach((name, told) -> types.put(name, told.type(model.denoiser(), name)));
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

    /** The type of the latents, float32. */
    TensorType latents() {
        return latents;
    }

    /** The numbers that the denoiser is told, by the names of its inputs. */
    Map<String, Numbers> numbers() {
        return numbers;
    }

    /** What is drawn of a picture, where the model itself takes no mask. */
    Optional<RepaintMask> mask() {
        return mask;
    }

    /** The given picture at the size of what is drawn. */
    GivenImage picture() {
        return request.given().orElseThrow().scaledTo(size().width(), size().height());
    }

    private Size size() {
        return new Size(Math.toIntExact(latents.shape().dim(3) * pixelsPerLatent()),
            Math.toIntExact(latents.shape().dim(2) * pixelsPerLatent()));
    }

    private TensorType makeLatents() {
        long height;
        long width;
        if (model.extra() == ExtraChannels.PICTURE) {
            Image picture = request.given().orElseThrow().image();
            height = picture.height();
            width = picture.width();
            if (request.height().orElse(picture.height() * pixelsPerLatent()) != height * pixelsPerLatent()
                || request.width().orElse(picture.width() * pixelsPerLatent()) != width * pixelsPerLatent()) {
                throw new IllegalArgumentException("this model enlarges a picture " + pixelsPerLatent()
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
        int multiple = pixelsPerLatent() * model.denoiser().sideMultiple();
        if (pixels < multiple || pixels % multiple != 0) {
            int below = pixels / multiple * multiple;
            throw new IllegalArgumentException("the " + name + " must be a multiple of " + multiple
                + " pixels for this model, " + (below == 0 ? "" : below + " or ") + (below + multiple) + ", not "
                + pixels + (wanted.isEmpty() ? ", as the given picture has; say a size to which it is scaled" : ""));
        }
        return pixels / pixelsPerLatent();
    }
}
