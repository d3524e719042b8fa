package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunks of eight tokens: start is 1, end 2, padding 0, a 4, red 5, star 6. */
class PromptChunksTest {
    @TempDir
    private Path path;

    @BeforeEach
    void makeFolder() throws IOException {
        new TokenizerFolder(path).withWords(TokenizerFolder.TEMPLATE);
    }

    private List<PromptChunk> chunks(String prompt) {
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            return tokenizer.encode(WeightedText.parse(prompt)).chunks();
        }
    }

    @Test
    void aShortPromptIsOneChunkLikeTheTokensOfThePrompt() {
        List<PromptChunk> chunks = chunks("a red star");
        assertEquals(1, chunks.size());
        assertArrayEquals(new long[] {1, 4, 5, 6, 2, 0, 0, 0}, chunks.getFirst().ids());
        assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1, 1, 1}, chunks.getFirst().weights());
        assertArrayEquals(new long[] {1, 2, 0, 0, 0, 0, 0, 0}, chunks("").getFirst().ids());
    }

    @Test
    void aLongPromptFillsChunkAfterChunk() {
        List<PromptChunk> chunks = chunks("a red star a red (star red:1.5)");
        assertEquals(2, chunks.size());
        assertArrayEquals(new long[] {1, 4, 5, 6, 4, 5, 6, 2}, chunks.getFirst().ids());
        assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1, 1.5f, 1}, chunks.getFirst().weights());
        assertArrayEquals(new long[] {1, 5, 2, 0, 0, 0, 0, 0}, chunks.getLast().ids());
        assertArrayEquals(new float[] {1, 1.5f, 1, 1, 1, 1, 1, 1}, chunks.getLast().weights());
        assertEquals(1, chunks("a red star a red star").size());
    }

    @Test
    void weighingScalesRowsAndKeepsTheMean() {
        PromptChunk chunk = new PromptChunk(new long[] {1, 5, 2}, new float[] {1, 3, 1});
        float[] embeddings = {1, 2, 3, 4, 5, 6};
        // Weighted: 1 2 9 12 5 6, whose sum is 35 instead of 21.
        assertArrayEquals(new float[] {0.6f, 1.2f, 5.4f, 7.2f, 3, 3.6f}, chunk.weigh(embeddings), 1e-6f);
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, embeddings);
    }

    @Test
    void weighingLeavesPlainChunksAndMeansOfZeroAsTheyAre() {
        float[] embeddings = {0.1f, -7, 3};
        assertArrayEquals(embeddings, new PromptChunk(new long[3], new float[] {1, 1, 1}).weigh(embeddings));
        assertArrayEquals(new float[] {0, 0}, new PromptChunk(new long[2], new float[] {0, 0})
            .weigh(new float[] {1, 2}));
        assertThrows(IllegalArgumentException.class, () ->
            new PromptChunk(new long[2], new float[] {1, 1}).weigh(new float[3]));
    }

    @Test
    void anEndlessPromptIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> chunks("a".repeat(1 << 17)));
    }
}
