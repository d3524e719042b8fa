package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prompts to what the denoiser reads of them: an engine for two rows for each of a model's text encoders, the
 * unconditional prompt first. One call at a time; it owns its engines.
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

    /** Encodes both prompts; what is too long is cut, with a warning in the log. */
    Map<String, MemorySegment> encode(String unconditional, String conditional, Arena arena) {
        Map<String, TensorType> types = texts.types();
        Map<String, MemorySegment> encoded = new LinkedHashMap<>();
        types.forEach((name, type) -> encoded.put(name, arena.allocate(type.bytes(), 64)));
        TensorType joined = types.get(TextModels.STATES);
        long place = 0;
        for (int i = 0; i < runners.size(); i++) {
            TextModel model = texts.models(clipSkip).get(i);
            Map<String, MemorySegment> made = runners.get(i).run(
                Map.of(model.model().inputs().keySet().iterator().next(),
                    ids(model, unconditional, conditional, arena)), arena);
            place = join(made.get(model.states()), model.statesType(), encoded.get(TextModels.STATES), joined, place);
            model.pooled().ifPresent(pooled -> encoded.get(TextModels.POOLED).copyFrom(made.get(pooled)));
        }
        if (unconditional.isEmpty() && texts.zeroesEmptyText()) {
            encoded.values().forEach(both -> both.asSlice(0, both.byteSize() / 2).fill((byte) 0));
        }
        return encoded;
    }

    /** Copies a tensor into its place on the last axis of a wider one. @return where the next one goes, in bytes */
    private static long join(MemorySegment from, TensorType type, MemorySegment to, TensorType joined, long place) {
        long tokens = type.shape().dim(0) * type.shape().dim(1);
        long part = type.bytes() / tokens;
        long whole = joined.bytes() / tokens;
        for (long token = 0; token < tokens; token++) {
            MemorySegment.copy(from, token * part, to, token * whole + place, part);
        }
        return place + part;
    }

    private static MemorySegment ids(TextModel model, String unconditional, String conditional, Arena arena) {
        TensorType type = model.model().inputs().values().iterator().next();
        MemorySegment ids = arena.allocate(type.bytes(), 8);
        Tokenizer tokenizer = model.tokenizer();
        long[] first = tokenizer.encodeOrCut(unconditional).ids();
        long[] second = tokenizer.encodeOrCut(conditional).ids();
        boolean wide = type.type() == DataType.INT64;
        for (int i = 0; i < first.length + second.length; i++) {
            long id = i < first.length ? first[i] : second[i - first.length];
            if (wide) {
                ids.setAtIndex(ValueLayout.JAVA_LONG, i, id);
            } else {
                ids.setAtIndex(ValueLayout.JAVA_INT, i, (int) id);
            }
        }
        return ids;
    }

    @Override
    public void close() {
        runners.forEach(EngineRunner::close);
        runners.clear();
    }
}
