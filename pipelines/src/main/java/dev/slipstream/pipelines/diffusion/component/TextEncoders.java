package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.diffusion.text.Tokens;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The text encoders of a model and what they make together, as a {@link TextLayout} has it. Nothing is built yet. Its
 * owner closes it; any thread may use it.
 */
public final class TextEncoders implements AutoCloseable {
    /** The denoiser's input for the states. */
    public static final String STATES = "encoder_hidden_states";
    /** The denoiser's input for the pooled text. */
    public static final String POOLED = "text_embeds";

    private final ModelFolder folder;
    private final TextLayout layout;
    private final Map<TextLayout.Encoder, Tokenizer> tokenizers = new LinkedHashMap<>();
    private final Map<Integer, List<TextEncoderGraph>> read = new HashMap<>();

    private TextEncoders(ModelFolder folder, TextLayout layout) {
        this.folder = folder;
        this.layout = layout;
    }

    /**
     * Reads tokenizers and graphs.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if something is missing or damaged
     * @throws GraphException if an encoder does not make what the layout wants
     */
    public static TextEncoders open(ModelFolder folder, TextLayout layout) {
        TextEncoders encoders = new TextEncoders(folder, layout);
        try {
            layout.encoders().forEach(encoders::open);
            encoders.graphs(0);
            return encoders;
        } catch (RuntimeException | Error failure) {
            encoders.close();
            throw failure;
        }
    }

    private void open(TextLayout.Encoder encoder) {
        OptionalInt positions = folder.config(encoder.component())
            .filter(config -> config.has("max_position_embeddings"))
            .map(config -> OptionalInt.of(config.positiveInteger("max_position_embeddings")))
            .orElse(OptionalInt.empty());
        Map<String, Integer> words = folder.words(encoder.component());
        Tokenizer any = Tokenizer.open(folder.tokenizer(encoder.component()), positions);
        Tokenizer read = encoder.length().isPresent() ? any.withLength(encoder.length().getAsInt()) : any;
        tokenizers.put(encoder, words.isEmpty() ? read
            : read.withWords(words, folder.requireConfig(encoder.component()).positiveInteger("vocab_size")));
    }

    /** The encoders, in the order of the layout. @param clipSkip layers to leave out */
    public synchronized List<TextEncoderGraph> graphs(int clipSkip) {
        return read.computeIfAbsent(clipSkip, this::read);
    }

    private List<TextEncoderGraph> read(int clipSkip) {
        List<TextEncoderGraph> graphs = layout.encoders().stream().map(encoder -> read(encoder, clipSkip)).toList();
        for (List<TextEncoderGraph> block : blocks(graphs)) {
            if (block.stream().flatMap(graph -> graph.statesType().stream()).map(type -> type.shape().dim(1)).distinct()
                .count() > 1) {
                throw new GraphException(folder + ": the text encoders take texts of different lengths, so that their "
                    + "states cannot stand side by side");
            }
        }
        return graphs;
    }

    /** The encoders of each block. */
    private List<List<TextEncoderGraph>> blocks(List<TextEncoderGraph> graphs) {
        List<List<TextEncoderGraph>> blocks = new ArrayList<>();
        int first = 0;
        for (TextLayout.Block block : layout.blocks()) {
            blocks.add(graphs.subList(first, first + block.encoders().size()));
            first += block.encoders().size();
        }
        return blocks;
    }

    private TextEncoderGraph read(TextLayout.Encoder encoder, int clipSkip) {
        // An encoder whose last layer is read leaves layers out itself, and then norms what is left.
        int own = encoder.states() == TextLayout.States.LAST ? clipSkip : 0;
        return TextEncoderGraph.of(folder.folder(encoder.component()).getFileName().toString(),
            new ComponentGraphs(folder).textEncoder(encoder.component(), own, isMasked()), tokenizers.get(encoder),
            encoder, clipSkip, isMasked());
    }

    private boolean isMasked() {
        return layout.maskInput().isPresent();
    }

    /** Whether an empty negative prompt becomes zeros instead of what the encoders make of it. */
    public boolean zeroesEmptyText() {
        return layout.zeroesEmptyText();
    }

    /**
     * Both prompts in the tokens of all encoders.
     *
     * @throws RuntimeException as {@link PromptReading#tokens}
     */
    public PromptTokens tokenize(PromptPair prompts) {
        PromptReading reading = prompts.reading();
        List<Tokens> conditional = tokens(reading, prompts.conditional());
        List<Tokens> unconditional = tokens(reading, prompts.unconditional());
        Set<String> complaints = new LinkedHashSet<>();
        Stream.concat(conditional.stream(), unconditional.stream())
            .forEach(tokens -> reading.complaint(tokens).ifPresent(complaints::add));
        int chunks = Stream.concat(conditional.stream(), unconditional.stream())
            .mapToInt(tokens -> reading.chunks(tokens).size()).max().orElse(1);
        if (chunks > 1 && layout.encoders().stream().anyMatch(encoder -> encoder.length().isPresent())) {
            throw new RequestException("this model does not read long prompts whole, as its text encoders take texts "
                + "of different lengths; let them be cut");
        }
        List<PromptTokens.Pair> pairs = new ArrayList<>();
        for (Tokenizer tokenizer : tokenizers.values()) {
            int encoder = pairs.size();
            pairs.add(new PromptTokens.Pair(
                filled(reading.chunks(unconditional.get(encoder)), chunks, tokenizer),
                filled(reading.chunks(conditional.get(encoder)), chunks, tokenizer)));
        }
        return new PromptTokens(pairs, prompts.unconditional().isEmpty(),
            conditional.stream().allMatch(Tokens::isKnown), List.copyOf(complaints));
    }

    private List<Tokens> tokens(PromptReading reading, String prompt) {
        String written = layout.lowersCase() ? prompt.toLowerCase(Locale.ROOT).strip() : prompt;
        return tokenizers.values().stream().map(tokenizer -> reading.tokens(tokenizer, written)).toList();
    }

    /**
     * What the denoiser is told of the tokens themselves: 1 for each that is a prompt's, in the order of the states,
     * and 0 for those that fill it up; nothing where it is not told.
     */
    public Map<String, ConditionValues> told(PromptTokens prompts) {
        return layout.maskInput().map(input -> Map.of(input, new ConditionValues(
            Shape.of(prompts.encoders().getFirst().conditional().stream().mapToInt(PromptChunk::length).sum()),
            mask(prompts.encoders().getFirst().unconditional()), mask(prompts.encoders().getFirst().conditional()))))
            .orElse(Map.of());
    }

    private static double[] mask(List<PromptChunk> prompt) {
        return prompt.stream().flatMapToDouble(chunk -> LongStream.of(chunk.mask()).asDoubleStream()).toArray();
    }

    private static List<PromptChunk> filled(List<PromptChunk> chunks, int count, Tokenizer tokenizer) {
        if (chunks.size() == count) {
            return chunks;
        }
        List<PromptChunk> filled = new ArrayList<>(chunks);
        PromptChunk empty = tokenizer.encode("").chunks().getFirst();
        while (filled.size() < count) {
            filled.add(empty);
        }
        return filled;
    }

    /**
     * The types of what the encoders make for two prompts, by the denoiser's names: states {@code [2, tokens of all
     * chunks and blocks, width]}, and the pooled text {@code [2, width]}; nothing where there are no encoders.
     *
     * @param chunks see {@link PromptTokens#chunks}
     */
    public Map<String, TensorType> types(int chunks) {
        List<TextEncoderGraph> graphs = graphs(0);
        StatePlaces places = places(graphs, chunks);
        Map<String, TensorType> types = new LinkedHashMap<>();
        if (places.tokens() > 0) {
            types.put(STATES, new TensorType(element(graphs, TextEncoderGraph::statesType),
                Shape.of(2, places.tokens(), places.width())));
        }
        long pooled = graphs.stream().flatMap(graph -> graph.pooledType().stream())
            .mapToLong(type -> type.shape().dim(1)).sum();
        if (pooled > 0) {
            types.put(layout.pooledInput(), new TensorType(element(graphs, TextEncoderGraph::pooledType),
                Shape.of(2, pooled)));
        }
        return types;
    }

    private DataType element(List<TextEncoderGraph> graphs, Function<TextEncoderGraph, Optional<TensorType>> output) {
        List<DataType> types = graphs.stream().flatMap(graph -> output.apply(graph).stream()).map(TensorType::type)
            .distinct().toList();
        if (types.size() != 1) {
            throw new GraphException(folder + ": the text encoders make " + types
                + ", which cannot stand beside each other; export them in one precision, or take their checkpoints");
        }
        return types.getFirst();
    }

    /** Where the states of each encoder go. */
    StatePlaces places(List<TextEncoderGraph> graphs, int chunks) {
        List<StatePlaces.Place> places = new ArrayList<>();
        List<List<TextEncoderGraph>> blocks = blocks(graphs);
        long token = 0;
        long widest = layout.width().orElse(0);
        for (int block = 0; block < blocks.size(); block++) {
            long beside = 0;
            long tokens = layout.blocks().get(block).empty();
            for (TextEncoderGraph graph : blocks.get(block)) {
                places.add(new StatePlaces.Place(token, beside));
                beside += graph.width();
                tokens = graph.statesType().map(type -> chunks * type.shape().dim(1)).orElse(tokens);
            }
            token += tokens;
            widest = Math.max(widest, beside);
        }
        if (layout.width().isPresent() && widest > layout.width().getAsLong()) {
            throw new GraphException(folder + ": the text encoders make states of " + widest + " numbers, but the "
                + "denoiser reads " + layout.width().getAsLong());
        }
        return new StatePlaces(places, token, widest);
    }

    /**
     * The order of all states.
     *
     * @param encoders where those of each encoder begin
     * @param tokens of all blocks and chunks
     * @param width numbers of a token
     */
    record StatePlaces(List<Place> encoders, long tokens, long width) {
        /** @param token the first one. @param beside the first number of a token */
        record Place(long token, long beside) {
        }
    }

    /** The denoiser's input for the pooled text. */
    String pooledInput() {
        return layout.pooledInput();
    }

    /** @param form in which the device is given them */
    public long weightBytes(DeviceForm form) {
        return graphs(0).stream().mapToLong(graph -> form.weightBytes(graph.graph().graph())).sum();
    }

    @Override
    public void close() {
        tokenizers.values().forEach(Tokenizer::close);
    }
}
