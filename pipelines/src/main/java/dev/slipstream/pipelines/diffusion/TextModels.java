package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The text encoders of a model and what they make together: the states of all, side by side, and the pooled text of
 * those that have one. Their owner closes it; any thread may use it.
 */
final class TextModels implements AutoCloseable {
    static final String STATES = "encoder_hidden_states";
    static final String POOLED = "text_embeds";

    private final ModelFolder folder;
    private final Map<Component, Tokenizer> tokenizers = new LinkedHashMap<>();
    private final boolean zeroesEmptyText;
    private final Map<Integer, List<TextModel>> read = new HashMap<>();

    /** @param pooled whether the denoiser reads text as SDXL's do */
    private TextModels(ModelFolder folder, boolean pooled) {
        this.folder = folder;
        this.zeroesEmptyText = pooled && folder.settings()
            .map(settings -> settings.flag("force_zeros_for_empty_prompt", true)).orElse(true);
    }

    /** @param denoiser which tells by what it reads how many encoders there are */
    static TextModels open(ModelFolder folder, DenoiserModel denoiser) {
        boolean pooled = denoiser.ports().conditions().contains(POOLED);
        TextModels models = new TextModels(folder, pooled);
        try {
            // SDXL's refiner has only the second.
            if (!pooled || folder.has(Component.TEXT_ENCODER)) {
                models.open(Component.TEXT_ENCODER, folder.tokenizer());
            }
            if (pooled) {
                models.open(Component.TEXT_ENCODER_2, folder.tokenizer2().orElseGet(folder::tokenizer));
            }
            models.models(0);
            return models;
        } catch (RuntimeException | Error failure) {
            models.close();
            throw failure;
        }
    }

    private void open(Component encoder, Path tokenizer) {
        OptionalInt positions = folder.config(encoder).filter(config -> config.has("max_position_embeddings"))
            .map(config -> OptionalInt.of(config.positiveInteger("max_position_embeddings")))
            .orElse(OptionalInt.empty());
        tokenizers.put(encoder, Tokenizer.open(tokenizer, positions));
    }

    /** The encoders, in the order in which their states stand side by side. @param clipSkip layers to leave out */
    synchronized List<TextModel> models(int clipSkip) {
        return read.computeIfAbsent(clipSkip, this::read);
    }

    private List<TextModel> read(int clipSkip) {
        ComponentGraphs graphs = new ComponentGraphs(folder);
        if (!tokenizers.containsKey(Component.TEXT_ENCODER_2)) {
            return List.of(TextModel.last(graphs.textEncoder(Component.TEXT_ENCODER, clipSkip),
                tokenizers.get(Component.TEXT_ENCODER)));
        }
        List<TextModel> models = new ArrayList<>();
        tokenizers.forEach((component, tokenizer) -> models.add(TextModel.penultimate(folder.folder(component)
            .getFileName().toString(), graphs.textEncoder(component, 0), tokenizer, clipSkip,
            component == Component.TEXT_ENCODER_2)));
        long tokens = models.getFirst().statesType().shape().dim(1);
        if (models.stream().anyMatch(model -> model.statesType().shape().dim(1) != tokens)) {
            throw new GraphException(folder + ": the text encoders take texts of different lengths, so that their "
                + "states cannot stand side by side");
        }
        return models;
    }

    /** Whether an empty negative prompt becomes zeros instead of what the encoders make of it. */
    boolean zeroesEmptyText() {
        return zeroesEmptyText;
    }

    /**
     * How many times the encoders run for two prompts: as often as the longer one, in the tokens of whichever encoder
     * needs more, takes. 1 where prompts are cut.
     */
    int chunks(PromptPair prompts) {
        return prompts.reading().whole() ? tokenizers.values().stream().flatMap(tokenizer ->
            Stream.of(prompts.unconditional(), prompts.conditional())
                .map(prompt -> prompts.reading().chunks(tokenizer, prompt).size())).reduce(1, Math::max) : 1;
    }

    /**
     * The types of what the encoders make for two prompts, by the denoiser's names: states {@code [2, tokens of all
     * chunks, width of all encoders]}, and the pooled text {@code [2, width]}.
     *
     * @param chunks see {@link #chunks}
     */
    Map<String, TensorType> types(int chunks) {
        List<TextModel> models = models(0);
        TensorType first = models.getFirst().statesType();
        Map<String, TensorType> types = new LinkedHashMap<>();
        types.put(STATES, new TensorType(first.type(), Shape.of(2, chunks * first.shape().dim(1),
            models.stream().mapToLong(model -> model.statesType().shape().dim(2)).sum())));
        models.stream().filter(model -> model.pooled().isPresent()).forEach(model ->
            types.put(POOLED, model.model().outputs().get(model.pooled().get())));
        return types;
    }

    /** What the model will not see of two prompts, one sentence a tokenizer that cuts one. */
    List<String> complaints(PromptPair prompts) {
        return Stream.of(prompts.conditional(), prompts.unconditional()).flatMap(prompt -> tokenizers.values().stream()
            .flatMap(tokenizer -> prompts.reading().complaint(tokenizer, prompt).stream())).distinct().toList();
    }

    long weightBytes() {
        return models(0).stream().mapToLong(model -> model.model().graph().weightBytes()).sum();
    }

    @Override
    public void close() {
        tokenizers.values().forEach(Tokenizer::close);
    }
}
