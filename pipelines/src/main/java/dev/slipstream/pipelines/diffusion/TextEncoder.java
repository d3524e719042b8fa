package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Prompts to what the denoiser reads of them: an engine for two rows for each of a model's text encoders, the
 * unconditional prompt first. Long prompts are encoded by the same engines, chunk by chunk. One call at a time; it owns
 * its engines.
 */
final class TextEncoder implements AutoCloseable {
    private final TextModels texts;
    private final int clipSkip;
    private final List<EngineRunner> runners = new ArrayList<>();

    private TextEncoder(TextModels texts, int clipSkip) {
        this.texts = texts;
        this.clipSkip = clipSkip;
    }

    /** @param clipSkip how many of the last layers are left out */
    static TextEncoder build(TextModels texts, int clipSkip, Device device) {
        TextEncoder encoder = new TextEncoder(texts, clipSkip);
        try {
            for (TextModel model : texts.models(clipSkip)) {
                encoder.runners.add(model.model().build(device));
            }
            return encoder;
        } catch (RuntimeException | Error failure) {
            encoder.close();
            throw failure;
        }
    }

    int clipSkip() {
        return clipSkip;
    }

    /**
     * Encodes both prompts, chunk after chunk. States of chunks stand one after another along the tokens, those of
     * encoders side by side; each chunk's are weighed for themselves, before they are joined.
     *
     * <p>The pooled text is that of the first chunk, and never weighed: the web UI of AUTOMATIC1111
     * ({@code sd_hijack_clip.py}) and ComfyUI ({@code sd1_clip.py}) take the first, too.
     *
     * @return by the denoiser's names, as {@link TextModels#types} says
     */
    Map<String, MemorySegment> encode(PromptPair prompts, Arena arena) {
        int chunks = texts.chunks(prompts);
        Map<String, MemorySegment> encoded = new LinkedHashMap<>();
        texts.types(chunks).forEach((name, type) -> encoded.put(name, arena.allocate(type.bytes(), 64)));
        MemorySegment states = encoded.get(TextModels.STATES);
        long place = 0;
        for (int i = 0; i < runners.size(); i++) {
            TextModel model = texts.models(clipSkip).get(i);
            List<PromptChunk> first = model.chunks(prompts.unconditional(), prompts.reading(), chunks);
            List<PromptChunk> second = model.chunks(prompts.conditional(), prompts.reading(), chunks);
            ChunkStates rows = new ChunkStates(model.statesType(), states, chunks, place);
            for (int chunk = 0; chunk < chunks; chunk++) {
                List<PromptChunk> pair = List.of(first.get(chunk), second.get(chunk));
                Map<String, MemorySegment> made = runners.get(i).run(ids(model, pair, arena), arena);
                rows.put(chunk, pair, made.get(model.states()));
                if (chunk == 0) {
                    model.pooled().ifPresent(pooled -> encoded.get(TextModels.POOLED).copyFrom(made.get(pooled)));
                }
            }
            place += rows.width();
        }
        if (prompts.unconditional().isEmpty() && texts.zeroesEmptyText()) {
            encoded.values().forEach(both -> both.asSlice(0, both.byteSize() / 2).fill((byte) 0));
        }
        return encoded;
    }

    private static Map<String, MemorySegment> ids(TextModel model, List<PromptChunk> pair, Arena arena) {
        String input = model.model().inputs().keySet().iterator().next();
        boolean wide = model.model().inputs().get(input).type() == DataType.INT64;
        long[] ids = pair.stream().flatMapToLong(chunk -> LongStream.of(chunk.ids())).toArray();
        return Map.of(input, wide ? arena.allocateFrom(ValueLayout.JAVA_LONG, ids)
            : arena.allocateFrom(ValueLayout.JAVA_INT, LongStream.of(ids).mapToInt(Math::toIntExact).toArray()));
    }

    @Override
    public void close() {
        runners.forEach(EngineRunner::close);
        runners.clear();
    }
}
