package dev.slipstream.pipelines.diffusion.text;

import static dev.slipstream.pipelines.diffusion.text.TokenizerFolder.last;
import static dev.slipstream.pipelines.diffusion.text.TokenizerFolder.merged;
import static dev.slipstream.pipelines.diffusion.text.TokenizerFolder.sign;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTokenizerTest {
    private static final int LENGTH = 12;
    private static final long START = merged("<|startoftext|>");
    private static final long END = merged("<|endoftext|>");

    @TempDir
    private Path path;

    @BeforeEach
    void makeFolder() throws IOException {
        new TokenizerFolder(path).withClip(LENGTH);
    }

    private void assertTokens(String prompt, long... inner) {
        long[] expected = new long[LENGTH];
        Arrays.fill(expected, END);
        expected[0] = START;
        System.arraycopy(inner, 0, expected, 1, inner.length);
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertArrayEquals(expected, tokenizer.encode(prompt).ids());
        }
    }

    @Test
    void mergesPiecesAndMarksTheEndsOfWords() {
        assertTokens("red", merged("red</w>"));
        assertTokens("red star", merged("red</w>"), merged("st"), sign('a'), last('r'));
        assertTokens("redo", merged("re"), sign('d'), last('o'));
        assertEquals(0, sign('!'));
        assertEquals(96, last('!'));
    }

    @Test
    void endsAndPadsWithTheEndToken() {
        assertTokens("");
        assertTokens(" \n\t ");
    }

    @Test
    void doesNotCareForCaseAndSpaces() {
        assertTokens("  RED\n\n Don  ", merged("red</w>"), merged("don</w>"));
    }

    @Test
    void splitsContractionsPunctuationAndDigits() {
        assertTokens("don't", merged("don</w>"), merged("'t</w>"));
        assertTokens("red,red!!", merged("red</w>"), last(','), merged("red</w>"), sign('!'), last('!'));
        assertTokens("x42", last('x'), last('4'), last('2'));
    }

    @Test
    void composesCharactersAndSplitsThemIntoBytes() {
        assertTokens("\u00E9", sign('\u00C3'), last('\u00A9'));
        assertTokens("e\u0301", sign('\u00C3'), last('\u00A9'));
        assertTokens("\u00C9", sign('\u00C3'), last('\u00A9'));
    }

    @Test
    void takesSpecialTokensInAPromptForWhatTheyAre() {
        assertTokens("red<|endoftext|>red", merged("red</w>"), END, merged("red</w>"));
    }

    @Test
    void padsAsStableDiffusion2Does() throws IOException {
        new TokenizerFolder(path).put("tokenizer_config.json", "{\"model_max_length\": 5, \"pad_token\": \"!\"}");
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertArrayEquals(new long[] {START, merged("red</w>"), END, 0, 0}, tokenizer.encode("red").ids());
        }
    }

    @Test
    void anExclamationMarkIsPaddingWhereTheModelPadsWithIt() throws IOException {
        new TokenizerFolder(path).put("tokenizer_config.json", "{\"model_max_length\": 6, \"pad_token\": \"!\"}");
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertArrayEquals(new long[] {START, merged("red</w>"), 0, 0, END, 0}, tokenizer.encode("red!!").ids());
        }
    }

    @Test
    void usesTheLengthOfClipWhereNoneIsSaid() throws IOException {
        new TokenizerFolder(path).put("tokenizer_config.json", "{}");
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertEquals(77, tokenizer.length());
            Tokens tokens = tokenizer.encode("Don't ".repeat(45));
            assertEquals(92, tokens.needed());
            assertEquals(15, tokens.cut());
            assertEquals("'t " + "Don't ".repeat(6) + "Don't", tokens.lostText());
        }
    }
}
