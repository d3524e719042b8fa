package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.pipelines.diffusion.RequestCore.Drawing;
import dev.slipstream.pipelines.diffusion.component.Autoencoder;
import dev.slipstream.pipelines.diffusion.component.ComponentKey;
import dev.slipstream.pipelines.diffusion.component.LatentFrames;
import dev.slipstream.pipelines.diffusion.component.PromptPair;
import dev.slipstream.pipelines.diffusion.component.PromptTokens;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.FractionalTimesteps;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.family.Filming;
import dev.slipstream.pipelines.diffusion.family.LatentGrid;
import dev.slipstream.pipelines.diffusion.family.PictureInputs;
import dev.slipstream.pipelines.diffusion.family.Recipe;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.family.Usual;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Chosen;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private final Drawing request;
    private final Optional<Filming> filming;
    private final int stepsBefore;
    private final int first;
    private final Optional<ResolvedRequest> whole;
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
     * @throws RuntimeException as {@link PipelineSpec#check(ImageRequest)}
     */
    ResolvedRequest(PipelineStage stage, Drawing request, int stepsBefore) {
        this(stage, request, stepsBefore, 0, Optional.empty());
    }

    private ResolvedRequest(PipelineStage stage, Drawing request, int stepsBefore, int first,
        Optional<ResolvedRequest> whole) {
        this.first = first;
        this.whole = whole;
        this.stage = stage;
        this.recipe = stage.model().recipe();
        this.request = request.withUsual(recipe.usual());
        this.stepsBefore = stepsBefore;
        RecipeRequest asked = this.request.forRecipe(span().isFirst());
        this.filming = filming(asked);
        Guidance last = recipe.guidance(core().guidance());
        this.guidance = filming.map(it -> it.guidance(last)).orElse(last);
        this.prompts = stage.model().texts().tokenize(new PromptPair(isGuided() ? core().negative() : "",
            core().prompt(), core().conditioning().reading()));
        recipe.check(asked);
        LatentGrid.Size size = recipe.latents(asked, stage.grid());
        this.latents = TensorType.of(DataType.FLOAT32, request.batch(), (long) frames().count() * frames().channels(),
            size.height(), size.width());
        this.noise = makeNoise();
        this.warnings = makeWarnings();
        this.mask = repaints()
            ? Optional.of(RepaintMask.of(picture().mask().orElseThrow(), pixelsPerLatent())) : Optional.empty();
        this.told = new LinkedHashMap<>(recipe.told(asked, core().conditioning().sizes(width(), height()), size));
        told.putAll(stage.model().texts().told(prompts));
        mask.ifPresent(it -> told.put(RepaintMask.INPUT, it.told()));
        this.steering = new Steering(stage.model().controls(),
            span().isFirst() ? core().conditioning().controls() : List.of(), stage.model().layers(),
            guidance.weight(), width(), height(), latents.shape());
        this.shape = makeShape(size);
        stage.model().texts().graphs(core().conditioning().clipSkip());
        this.keys = makeKeys();
    }

    private Optional<Filming> filming(RecipeRequest asked) {
        Optional<Filming> made = recipe.filming(asked);
        if (made.isPresent() != asked.film().isPresent()) {
            throw new RequestException(made.isPresent() ? model().folder().name() + " makes videos, not pictures; ask "
                + "for a video (VideoRequest)" : model().folder().name() + " draws pictures, not videos; ask for a "
                + "picture (ImageRequest), or take a model that makes videos");
        }
        return made;
    }

    /** What is left before a step, from 0, of one of a text alone whose latents, or a finished picture's, are there. */
    ResolvedRequest from(int step, boolean finished) {
        int left = finished ? 0 : rowsBefore(step);
        return new ResolvedRequest(stage, request, stepsBefore + left, step, Optional.of(this));
    }

    /** How many rows of its noise table such a rest leaves out. */
    int rowsBefore(int step) {
        return noise.steps() - stage.table(core(), latents.shape(), span(), step).steps();
    }

    PipelineStage stage() {
        return stage;
    }

    LoadedModel model() {
        return stage.model();
    }

    /** What is drawn, with the usual in place of what is not said. */
    Drawing request() {
        return request;
    }

    /** Pictures or videos that are drawn together. */
    int batch() {
        return request.batch();
    }

    /** Of the first picture or video. */
    long seed() {
        return core().seed().orElseThrow();
    }

    private RequestCore core() {
        return request.core();
    }

    /** At which its frames are shown, where it is a video. */
    Optional<Filming> filming() {
        return filming;
    }

    /** How frames lie in the latents. */
    private LatentFrames frames() {
        int channels = stage.model().config().outChannels();
        return filming.map(it -> new LatentFrames(it.frames(), channels, stage.model().form().frames().axis() == 1))
            .orElseGet(() -> LatentFrames.ofPicture(channels));
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

    /** Whether the request's picture becomes latents; a model that has begun before has taken it in. */
    boolean encodesPicture() {
        return request.given().isPresent() && recipe.encodesPicture() && span().isFirst();
    }

    /** Whether the loop starts from these latents. */
    boolean startsFromPicture() {
        return encodesPicture() && recipe.startsFromPicture();
    }

    /** Whether the known part of a picture is put back after every step. */
    boolean repaints() {
        return recipe.putsKnownPartBack() && isMasked();
    }

    /** Whether it brings a picture and a mask. */
    boolean isMasked() {
        return request.given().filter(given -> given.mask().isPresent()).isPresent();
    }

    /** Whether each latent is predicted twice. */
    boolean isGuided() {
        return guidance.weight() > 1;
    }

    PromptTokens prompts() {
        return prompts;
    }

    /** What the model takes for what a request does not say. */
    Usual usual() {
        return recipe.usual();
    }

    /** Of the finished picture, in pixels; what is drawn is scaled and cut to it. */
    int wantedWidth() {
        return core().width().orElse(width());
    }

    int wantedHeight() {
        return core().height().orElse(height());
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
        return stage.table(core(), latents.shape(), part, startsFromPicture() ? PipelineStage.leftOut(
            core().steps().orElseThrow(), request.given().orElseThrow().usedStrength()) : first);
    }

    /** How the first latents are mixed: from noise alone, or by the noise scheduler's rule for a picture. */
    Mix start() {
        return start(noise);
    }

    private Mix start(NoiseTable table) {
        boolean fresh = !startsFromPicture() || isMasked() && request.given().get().usedStrength() == 1;
        return fresh ? new Mix(0, table.initialScale()) : table.start();
    }

    /** What the denoiser is fixed to. */
    LoopShape shape() {
        return shape;
    }

    private LoopShape makeShape(LatentGrid.Size size) {
        Map<String, TensorType> types = new LinkedHashMap<>(model().textTypes(prompts.chunks()));
        told.forEach((name, values) -> types.put(name, type(name, values.row())));
        recipe.shown(size).forEach((name, row) -> types.put(name, type(name, row)));
        long rows = (isGuided() ? 2L : 1) * request.batch();
        types.replaceAll((name, type) -> LoopShape.withRows(type, rows));
        types.putAll(steering.types(rows));
        DenoiserConfig config = stage.model().config();
        return new LoopShape(latents, config.inChannels() - config.outChannels(), isGuided(), types);
    }

    private TensorType type(String condition, Shape row) {
        return ConditionValues.type(stage.model().denoiser().conditionType(condition), row);
    }

    /** What must be built. */
    RequestKeys keys() {
        return keys;
    }

    private RequestKeys makeKeys() {
        Autoencoder autoencoder = stage.autoencoder();
        if (span().isLast()) {
            frames().chunks(together()).forEach(count -> autoencoder.check(frames().type(count, latents)));
        }
        boolean encodes = encodesPicture() || steering.readsLatents();
        if (encodes) {
            autoencoder.encoderGraph();
        }
        return new RequestKeys(new ComponentKey.Text(stage.model().texts(), core().conditioning().clipSkip()),
            this::loop, encodes ? Optional.of(new ComponentKey.Encoding(autoencoder,
                autoencoder.tile(frames().type(1, latents)))) : Optional.empty(),
            recipe.pictureReader().map(ComponentKey.Seeing::new),
            span().isLast() ? Optional.of(RequestKeys.Decodings.of(autoencoder, frames(), together(), latents))
                : Optional.empty(),
            stage.previews().filter(it -> span().isLast() && core().previewEvery() > 0)
                .map(it -> RequestKeys.Decodings.of(it, frames(), 1, latents)));
    }

    private RequestKeys.Loop loop() {
        return new RequestKeys.Loop(new ComponentKey.Denoising(chosen().partitioner(), shape), noise, guidance,
            new Estimates(core().previewEvery(), stepsBefore, !span().isLast()), KeptLatents.LAST, rests(),
            steering.guided());
    }

    /** The plan that it has. The first call may take long, where it is still to be chosen. */
    Chosen chosen() {
        return whole.map(ResolvedRequest::chosen).orElseGet(() -> stage.chosen(shape, noise, guidance, rests()));
    }

    /** How many frames are decoded together. */
    private int together() {
        return filming.map(Filming::together).orElse(1);
    }

    /** The steps at which joined modules do not run, of those that the model takes. */
    private Map<String, Set<Integer>> rests() {
        return steering.rests(noise.steps(), span().isLast() || steering.nets().isEmpty() ? noise.steps()
            : table(NoiseSpan.WHOLE).steps());
    }

    /**
     * The denoiser for the shape, cut and placed.
     *
     * @throws RuntimeException as {@link PipelineSpec#check(ImageRequest)}
     */
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

    /**
     * What the denoiser is told, and its further channels, are made of.
     *
     * @param noises one for each picture of the batch
     */
    PictureInputs pictureInputs(List<Noise> noises, RequestEngines engines) {
        return new PictureInputs(request.given().map(GivenImage::forRecipe), width(), height(), pixelsPerLatent(),
            noises, engines.pictureEncoder(), engines.pictureReader(),
            LoopShape.withRows(latents, 1).shape().elements(), request.film());
    }

    /** Of what is drawn, in pixels. */
    int width() {
        return Math.toIntExact(latents.shape().dim(3) * pixelsPerLatent());
    }

    int height() {
        return Math.toIntExact(latents.shape().dim(2) * pixelsPerLatent());
    }

    /** Whether the clean picture keeps its size in the latents while there is noise, as in Karras et al. (2022). */
    boolean keepsPicture() {
        return noise.start().image() == 1;
    }
}
