package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.RequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
    void whatDoesNotFitIsToldInTheWordsOfThePromptWhereverAPieceEnds() {
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            for (String prompt : List.of("a red star a red (star red:1.5) a", "a red star (a red star) [red] a",
                "a red star a red star (red a)", "[a red star a red star red] a")) {
                Tokens tokens = tokenizer.encode(WeightedText.parse(prompt));
                assertEquals("prompt too long: 10 tokens, 8 fit; lost: \"red a\"", tokens.complaint(), prompt);
                assertEquals(2, tokens.chunks().size());
            }
            assertEquals("", tokenizer.encode(WeightedText.parse("a red star a red star ( ) ")).lostText());
        }
    }

    @Test
    void aReadingSaysWhetherBracketsWeighAndWhetherPromptsAreCut() {
        String prompt = "a red star a red (star:2) red";
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            PromptReading cut = new PromptReading(true, false);
            PromptReading whole = new PromptReading(true, true);
            Tokens tokens = cut.tokens(tokenizer, prompt);
            assertEquals(1, cut.chunks(tokens).size());
            assertEquals(2, whole.chunks(tokens).size());
            assertEquals(2, cut.chunks(tokens).getFirst().weights()[6]);
            assertTrue(PromptReading.DEFAULT.tokens(tokenizer, prompt).chunks().getFirst().isPlain());
            assertTrue(cut.complaint(tokens).orElseThrow().contains("\"red\""));
            assertEquals(Optional.empty(), whole.complaint(tokens));
            assertThrows(RequestException.class, () -> whole.tokens(tokenizer, "(".repeat(33)));
        }
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
        assertThrows(RequestException.class, () -> chunks("a".repeat(1 << 17)));
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertThrows(RequestException.class, () ->
                new PromptReading(true, true).tokens(tokenizer, "()".repeat(1 << 16)));
        }
    }
}
