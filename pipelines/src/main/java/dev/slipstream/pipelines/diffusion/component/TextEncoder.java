package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;

/**
 * Prompts to what the denoiser reads of them: an engine for two rows for each of a model's text encoders, the
 * unconditional prompt first. Long prompts are encoded by the same engines, chunk by chunk. One call at a time; it owns
 * its engines.
 */
public final class TextEncoder implements AutoCloseable {
    private final TextEncoders texts;
    private final int clipSkip;
    private final List<EngineRunner> runners = new ArrayList<>();

    private TextEncoder(TextEncoders texts, int clipSkip) {
        this.texts = texts;
        this.clipSkip = clipSkip;
    }

    /** @param clipSkip how many of the last layers are left out */
    public static TextEncoder build(TextEncoders texts, int clipSkip, Device device) {
        TextEncoder encoder = new TextEncoder(texts, clipSkip);
        try {
            for (TextEncoderGraph graph : texts.graphs(clipSkip)) {
                encoder.runners.add(graph.graph().build(device));
            }
            return encoder;
        } catch (RuntimeException | Error failure) {
            encoder.close();
            throw failure;
        }
    }

    public int clipSkip() {
        return clipSkip;
    }

    /**
     * Encodes both prompts, chunk after chunk. States of an encoder's chunks stand one after another along the tokens,
     * those of encoders as the {@link TextLayout} has them; the states of each chunk are weighted before they are
     * joined.
     *
     * <p>The pooled text is that of the first chunk, and never weighted: the web UI of AUTOMATIC1111
     * ({@code sd_hijack_clip.py}) and ComfyUI ({@code sd1_clip.py}) take the first, too.
     *
     * @return by the denoiser's names, as {@link TextEncoders#types} says
     */
    public Map<String, MemorySegment> encode(PromptTokens prompts, Arena arena) {
        Map<String, MemorySegment> encoded = new LinkedHashMap<>();
        texts.types(prompts.chunks()).forEach((name, type) -> encoded.put(name, arena.allocate(type.bytes(), 64)));
        List<TextEncoderGraph> graphs = texts.graphs(clipSkip);
        TextEncoders.StatePlaces places = texts.places(graphs, prompts.chunks());
        long beside = 0;
        for (int i = 0; i < runners.size(); i++) {
            TextEncoderGraph encoder = graphs.get(i);
            PromptTokens.Pair tokens = prompts.encoders().get(i);
            for (int chunk = 0; chunk < (encoder.states().isPresent() ? prompts.chunks() : 1); chunk++) {
                List<PromptChunk> pair = List.of(tokens.unconditional().get(chunk), tokens.conditional().get(chunk));
                Map<String, MemorySegment> made =
                    encoder.graph().finite(runners.get(i).run(inputs(encoder, pair, arena), arena));
                if (encoder.states().isPresent()) {
                    new ChunkStates(encoder.statesType().get(), encoded.get(TextEncoders.STATES), places,
                        places.encoders().get(i)).put(chunk, pair, made.get(encoder.states().get()));
                }
                if (chunk == 0 && encoder.pooled().isPresent()) {
                    MemorySegment pooled = made.get(encoder.pooled().get());
                    putPooled(pooled, encoded.get(texts.pooledInput()), beside);
                    beside += pooled.byteSize() / 2;
                }
            }
        }
        if (prompts.emptyUnconditional() && texts.zeroesEmptyText()) {
            encoded.values().forEach(both -> both.asSlice(0, both.byteSize() / 2).fill((byte) 0));
        }
        return encoded;
    }

    /** @param beside bytes of the encoders before */
    private static void putPooled(MemorySegment own, MemorySegment all, long beside) {
        long width = own.byteSize() / 2;
        for (int prompt = 0; prompt < 2; prompt++) {
            MemorySegment.copy(own, prompt * width, all, prompt * all.byteSize() / 2 + beside, width);
        }
    }

    private static Map<String, MemorySegment> inputs(TextEncoderGraph encoder, List<PromptChunk> pair, Arena arena) {
        Map<String, MemorySegment> inputs = new LinkedHashMap<>();
        inputs.put(encoder.ids(), integers(encoder, encoder.ids(), pair, PromptChunk::ids, arena));
        encoder.mask().ifPresent(mask -> inputs.put(mask, integers(encoder, mask, pair, PromptChunk::mask, arena)));
        return inputs;
    }

    private static MemorySegment integers(TextEncoderGraph encoder, String input, List<PromptChunk> pair,
        Function<PromptChunk, long[]> row, Arena arena) {
        boolean wide = encoder.graph().inputs().get(input).type() == DataType.INT64;
        long[] both = pair.stream().flatMapToLong(chunk -> LongStream.of(row.apply(chunk))).toArray();
        return wide ? arena.allocateFrom(ValueLayout.JAVA_LONG, both)
            : arena.allocateFrom(ValueLayout.JAVA_INT, LongStream.of(both).mapToInt(Math::toIntExact).toArray());
    }

    @Override
    public void close() {
        runners.forEach(EngineRunner::close);
        runners.clear();
    }

    /**
     * The place of one text encoder's states among those of all chunks and encoders.
     *
     * @param type of the states of one chunk, {@code [2, tokens, width]}: float32, float16 or bfloat16
     * @param joined bytes of {@code [2, tokens of all, width of all]}
     */
    private record ChunkStates(TensorType type, MemorySegment joined, TextEncoders.StatePlaces all,
        TextEncoders.StatePlaces.Place place) {

        /**
         * Puts the states of one chunk where they belong, each prompt's with its weights.
         *
         * @param prompts one a row
         * @param states bytes of {@code [2, tokens, width]}
         */
        void put(int chunk, List<PromptChunk> prompts, MemorySegment states) {
            long token = joined.byteSize() / (2 * all.tokens());
            long number = token / all.width();
            long width = type.shape().dim(2) * number;
            for (int prompt = 0; prompt < 2; prompt++) {
                MemorySegment row = weighed(prompts.get(prompt), states.asSlice(prompt * type.bytes() / 2,
                    type.bytes() / 2));
                long first = prompt * all.tokens() + place.token() + chunk * tokens();
                for (long index = 0; index < tokens(); index++) {
                    MemorySegment.copy(row, index * width, joined, (first + index) * token + place.beside() * number,
                        width);
                }
            }
        }

        private long tokens() {
            return type.shape().dim(1);
        }

        private MemorySegment weighed(PromptChunk chunk, MemorySegment row) {
            if (chunk.isPlain()) {
                return row;
            }
            StoredType stored = StoredType.of(type.type());
            Shape shape = Shape.of(tokens(), type.shape().dim(2));
            return StoredTensor.of(stored, shape, chunk.weigh(new StoredTensor(stored, shape, row).toFloats())).data();
        }
    }
}
