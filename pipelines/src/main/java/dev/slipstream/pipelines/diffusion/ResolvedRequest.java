package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.pipelines.diffusion.component.Autoencoder;
import dev.slipstream.pipelines.diffusion.component.ComponentKey;
import dev.slipstream.pipelines.diffusion.component.ImageEncoder;
import dev.slipstream.pipelines.diffusion.component.PromptPair;
import dev.slipstream.pipelines.diffusion.component.PromptTokens;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.FractionalTimesteps;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.family.LatentGrid;
import dev.slipstream.pipelines.diffusion.family.PictureInputs;
import dev.slipstream.pipelines.diffusion.family.Recipe;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A request as a model reads it, worked out once: prompts in tokens, sizes, steps, where the loop starts, and what the
 * denoiser is told. If there is one, the model can draw the request, as far as that is known before the denoiser is
 * cut. Immutable.
 */
final class ResolvedRequest {
    private final PipelineStage stage;
    private final Recipe recipe;
    private final ImageRequest request;
    private final int stepsBefore;
    private final Guidance guidance;
    private final PromptTokens prompts;
    private final NoiseTable noise;
    private final List<String> warnings;
    private final TensorType latents;
    private final Optional<RepaintMask> mask;
    private final Map<String, ConditionValues> told;
    private final Steering steering;
    private final LoopShape shape;
    private final RequestKeys keys;

    /**
     * @param stepsBefore steps that other models take before
     * @throws RuntimeException as {@link PipelineSpec#check}
     */
    ResolvedRequest(PipelineStage stage, ImageRequest request, int stepsBefore) {
        this.stage = stage;
        this.recipe = stage.model().recipe();
        this.request = request.withUsual(recipe.usual());
        this.stepsBefore = stepsBefore;
        this.guidance = recipe.guidance(this.request.guide());
        this.prompts = stage.model().texts().tokenize(new PromptPair(isGuided() ? request.negative() : "",
            request.prompt(), request.conditioning().reading()));
        RecipeRequest asked = this.request.forRecipe(span().isFirst());
        recipe.check(asked);
        LatentGrid.Size size = recipe.latents(asked, stage.grid());
        this.latents = TensorType.of(DataType.FLOAT32, request.batch(), stage.model().config().outChannels(),
            size.height(), size.width());
        this.noise = makeNoise();
        this.warnings = makeWarnings();
        this.mask = repaints()
            ? Optional.of(RepaintMask.of(picture().mask().orElseThrow(), pixelsPerLatent())) : Optional.empty();
        this.told = new LinkedHashMap<>(recipe.told(asked, request.conditioning().sizes(width(), height()), size));
        told.putAll(stage.model().texts().told(prompts));
        mask.ifPresent(it -> told.put(RepaintMask.INPUT, it.told()));
        this.steering = new Steering(stage.model().controls(),
            span().isFirst() ? request.conditioning().controls() : List.of(), width(), height());
        this.shape = makeShape();
        stage.model().texts().graphs(request.conditioning().clipSkip());
        this.keys = makeKeys();
    }

    PipelineStage stage() {
        return stage;
    }

    LoadedModel model() {
        return stage.model();
    }

    ImageRequest request() {
        return request;
    }

    /** The part of the steps that the model takes. */
    NoiseSpan span() {
        return stage.span();
    }

    /** Along each side. */
    int pixelsPerLatent() {
        return stage.autoencoder().pixelsPerLatent();
    }

    /** Steps that other models take before. */
    int stepsBefore() {
        return stepsBefore;
    }

    /** What the model will not see of prompts and timesteps, one sentence each. */
    List<String> warnings() {
        return warnings;
    }

    private List<String> makeWarnings() {
        DenoiserGraph denoiser = stage.model().denoiser();
        Optional<String> fractions = FractionalTimesteps.complaint(denoiser.name(), denoiser.graph(),
            denoiser.ports().timestep(), () -> noise.rows().stream().mapToDouble(NoiseTable.Row::timestep));
        return Stream.concat(prompts.complaints().stream(), fractions.stream()).toList();
    }

    /**
     * Whether the request's picture becomes latents; where another model has begun, that model has taken it in.
     */
    boolean encodesPicture() {
        return request.given().isPresent() && recipe.encodesPicture() && span().isFirst();
    }

    /** Whether the known part of a picture is put back after every step. */
    boolean repaints() {
        return recipe.putsKnownPartBack() && isMasked();
    }

    private boolean isMasked() {
        return request.given().filter(given -> given.mask().isPresent()).isPresent();
    }

    /** Whether each latent is predicted twice. */
    boolean isGuided() {
        return guidance.weight() > 1;
    }

    PromptTokens prompts() {
        return prompts;
    }

    /** The request with all that it leaves to the model filled in. */
    ImageRequest completed() {
        return request.withScheduler(noise.name()).withSize(wantedWidth(), wantedHeight());
    }

    /** Of the finished picture, in pixels; what is drawn is scaled and cut to it. */
    int wantedWidth() {
        return request.width().orElse(width());
    }

    int wantedHeight() {
        return request.height().orElse(height());
    }

    /** A decoded picture as the request wants it: models that draw some sizes only draw the most alike of them. */
    Image finished(Image drawn) {
        return drawn.covering(wantedWidth(), wantedHeight());
    }

    /** The steps that are taken. */
    NoiseTable noise() {
        return noise;
    }

    private NoiseTable makeNoise() {
        NoiseTable table = table(span());
        try {
            return repaints() ? table.repainting(start(table)) : table;
        } catch (IllegalArgumentException unfit) {
            throw new RequestException(Failures.reason(unfit), unfit);
        }
    }

    /** @param part of the steps that are left where the loop starts from a picture */
    private NoiseTable table(NoiseSpan part) {
        NoiseScheduler scheduler = stage.model().noise(request.scheduler(), latents.shape());
        if (!encodesPicture()) {
            return scheduler.table(request.saidSteps(), 0, part);
        }
        double strength = request.given().get().usedStrength();
        int steps = request.saidSteps();
        int taken = (int) Math.min(steps * strength, steps);
        if (taken == 0) {
            throw new RequestException("strength " + strength + " of " + steps
                + " steps is less than one step; take more steps or a larger strength");
        }
        return scheduler.table(steps, steps - taken, part);
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
        Map<String, TensorType> types = new LinkedHashMap<>(texts());
        told.forEach((name, values) -> types.put(name, values.type(stage.model().denoiser().conditionType(name))));
        long rows = (isGuided() ? 2L : 1) * request.batch();
        types.replaceAll((name, type) -> LoopShape.withRows(type, rows));
        types.putAll(steering.types(rows));
        DenoiserConfig config = stage.model().config();
        return new LoopShape(latents, config.inChannels() - config.outChannels(), isGuided(), types);
    }

    private Map<String, TensorType> texts() {
        Map<String, TensorType> texts = stage.model().texts().types(prompts.chunks());
        OptionalLong only = stage.model().denoiser().fixedSize(TextEncoders.STATES, 1);
        if (prompts.chunks() > 1 && only.isPresent()) {
            TensorType states = Objects.requireNonNull(texts.get(TextEncoders.STATES));
            throw new GraphException("the denoiser's graph was exported for texts of " + only.getAsLong()
                + " tokens only, and these long prompts take " + states.shape().dim(1)
                + "; let them be cut, or take a graph that leaves the length open, or the checkpoint");
        }
        return texts;
    }

    /** What must be built. */
    RequestKeys keys() {
        return keys;
    }

    private RequestKeys makeKeys() {
        Autoencoder autoencoder = stage.autoencoder();
        if (span().isLast()) {
            autoencoder.check(latents);
        }
        if (encodesPicture()) {
            autoencoder.encoderGraph();
        }
        TensorType tile = autoencoder.tile(latents);
        return new RequestKeys(new ComponentKey.Text(stage.model().texts(), request.conditioning().clipSkip()),
            new RequestKeys.Loop(new ComponentKey.Denoising(stage.partitioner(), shape), noise, guidance,
                new Estimates(request.previewEvery(), stepsBefore, !span().isLast()), rests()),
            encodesPicture() ? Optional.of(new ComponentKey.Encoding(autoencoder, tile)) : Optional.empty(),
            span().isLast() ? Optional.of(new ComponentKey.Decoding(autoencoder, tile)) : Optional.empty(),
            stage.previews().filter(it -> span().isLast() && request.previewEvery() > 0)
                .map(it -> new ComponentKey.Decoding(it, it.tile(latents))));
    }

    /** The steps at which ControlNets do not run, of those that the model takes. */
    private Map<String, Set<Integer>> rests() {
        return steering.nets().isEmpty() ? Map.of() : steering.rests(noise.steps(), span().isLast() ? noise.steps()
            : table(NoiseSpan.WHOLE).steps());
    }

    /** The denoiser for the shape, cut and placed. @throws RuntimeException as {@link PipelineSpec#check} */
    PartitionedDenoiser denoiser() {
        return keys.loop().denoiser().partitioned();
    }

    /** The type of the latents, float32. */
    TensorType latents() {
        return latents;
    }

    /** The numbers that the denoiser is told, by the names of its inputs. */
    Map<String, ConditionValues> told() {
        return told;
    }

    /** What ControlNets are told. */
    Steering steering() {
        return steering;
    }

    /** What is drawn of a picture, where the model itself takes no mask. */
    Optional<RepaintMask> mask() {
        return mask;
    }

    /** The given picture at the size of what is drawn. */
    Picture picture() {
        return request.given().orElseThrow().forRecipe().scaledTo(width(), height());
    }

    /** What the denoiser's further channels are made of. @param noises one for each picture of the batch */
    PictureInputs pictureInputs(List<Noise> noises, Optional<ImageEncoder> encoder) {
        return new PictureInputs(request.given().map(GivenImage::forRecipe), width(), height(), pixelsPerLatent(),
            noises, encoder, LoopShape.withRows(latents, 1).shape().elements());
    }

    /** Of what is drawn, in pixels. */
    int width() {
        return Math.toIntExact(latents.shape().dim(3) * pixelsPerLatent());
    }

    int height() {
        return Math.toIntExact(latents.shape().dim(2) * pixelsPerLatent());
    }

    /** @throws RequestException if another model cannot go on with this one's latents for this request */
    void requireCanHandOverTo(ResolvedRequest refiner) {
        if (isMasked()) {
            throw new RequestException("a refiner does not repaint; leave out the mask or the refiner");
        }
        if (!latents.shape().equals(refiner.latents.shape())) {
            throw new RequestException("the model draws " + width() + "x" + height() + " pixels and the refiner "
                + refiner.width() + "x" + refiner.height() + " for this size; take another size");
        }
        if (keepsPicture() != refiner.keepsPicture()) {
            throw new RequestException("the refiner would take latents of " + noise.name() + " with "
                + refiner.noise.name()
                + ", which scales them in another manner; choose one noise scheduler for both models");
        }
    }

    /** Whether the clean picture keeps its size in the latents while there is noise, as in Karras et al. (2022). */
    private boolean keepsPicture() {
        return noise.start().image() == 1;
    }
}
