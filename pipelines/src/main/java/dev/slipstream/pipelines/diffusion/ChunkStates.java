package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.StoredType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;

/**
 * The place of one text encoder's states among those of all chunks and encoders.
 *
 * @param type of the states of one chunk, {@code [2, tokens, width]}: float32, float16 or bfloat16
 * @param joined bytes of {@code [2, chunks · tokens, width of all encoders]}
 * @param place where in a token's row this encoder's part begins, in bytes
 */
record ChunkStates(TensorType type, MemorySegment joined, int chunks, long place) {
    /** Bytes of a token. */
    long width() {
        return type.bytes() / (2 * tokens());
    }

    private long tokens() {
        return type.shape().dim(1);
    }

    /**
     * Puts the states of one chunk where they belong, each prompt's with its weights.
     *
     * @param prompts one a row
     * @param states bytes of {@code [2, tokens, width]}
     */
    void put(int chunk, List<PromptChunk> prompts, MemorySegment states) {
        long whole = joined.byteSize() / (2 * chunks * tokens());
        for (int prompt = 0; prompt < 2; prompt++) {
            MemorySegment row = weighed(prompts.get(prompt), states.asSlice(prompt * type.bytes() / 2,
                type.bytes() / 2));
            long first = (prompt * chunks + chunk) * tokens();
            for (long token = 0; token < tokens(); token++) {
                MemorySegment.copy(row, token * width(), joined, (first + token) * whole + place, width());
            }
        }
    }

    private MemorySegment weighed(PromptChunk chunk, MemorySegment row) {
        if (chunk.isPlain()) {
            return row;
        }
        StoredType stored = Stream.of(StoredType.F32, StoredType.F16, StoredType.BF16)
            .filter(it -> it.dataType().filter(type.type()::equals).isPresent()).findFirst()
            .orElseThrow(() -> new IllegalStateException("states of type " + type + " cannot be weighed"));
        Shape shape = Shape.of(tokens(), type.shape().dim(2));
        return StoredTensor.of(stored, shape, chunk.weigh(new StoredTensor(stored, shape, row).toFloats())).data();
    }
}
