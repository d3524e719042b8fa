package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.RequestException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    @TempDir
    private Path path;
    private TokenizerFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new TokenizerFolder(path);
    }

    private Tokens encode(String prompt) {
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            return tokenizer.encode(prompt);
        }
    }

    @Test
    void padsToTheLengthOfTheModel() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        Tokens tokens = encode("  A red\n STAR  ");
        assertArrayEquals(new long[] {1, 4, 5, 6, 2, 0, 0, 0}, tokens.ids());
        assertEquals(5, tokens.needed());
        assertEquals(0, tokens.cut());
        assertEquals("", tokens.lostText());
        assertThrows(IllegalStateException.class, tokens::complaint);
    }

    @Test
    void encodesTheEmptyPromptAndUnknownWords() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        assertArrayEquals(new long[] {1, 2, 0, 0, 0, 0, 0, 0}, encode("").ids());
        assertArrayEquals(new long[] {1, 3, 5, 2, 0, 0, 0, 0}, encode("\uD83D\uDE00 red").ids());
        assertArrayEquals(new long[] {1, 3, 3, 5, 2, 0, 0, 0}, encode("\uD83D \0 red").ids());
    }

    @Test
    void saysWhetherItKnowsAllOfAPrompt() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        assertTrue(encode("A red star").isKnown());
        assertTrue(encode("").isKnown());
        assertFalse(encode("a red moon").isKnown());
    }

    @Test
    void saysWhatOfALongPromptIsLost() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        Tokens tokens = encode("\uD83D\uDE00 a red star a red  star of \uD83D\uDE00 joy ");
        assertArrayEquals(new long[] {1, 3, 4, 5, 6, 4, 5, 2}, tokens.ids());
        assertEquals(12, tokens.needed());
        assertEquals(4, tokens.cut());
        assertEquals("star of \uD83D\uDE00 joy", tokens.lostText());
        assertEquals("prompt too long: 12 tokens, 8 fit; lost: \"star of \uD83D\uDE00 joy\"", tokens.complaint());
    }

    @Test
    void takesAPromptThatJustFitsWhole() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        assertEquals(0, encode("a a a a a a").cut());
        assertEquals(1, encode("a a a a a a red").cut());
    }

    @Test
    void obeysTheConfigurationBesideTheFile() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        folder.put("tokenizer_config.json", "{\"model_max_length\": 5, \"pad_token\": {\"content\": \"star\"}}");
        assertArrayEquals(new long[] {1, 5, 2, 6, 6}, encode("red").ids());
        folder.put("tokenizer_config.json", "{\"model_max_length\": 1000000000000000019884624838656}");
        folder.put("special_tokens_map.json", "{\"pad_token\": \"<eos>\"}");
        assertArrayEquals(new long[] {1, 5, 2, 2, 2, 2, 2, 2}, encode("red").ids());
    }

    @Test
    void understandsOtherPostProcessors() throws IOException {
        String roberta = "{\"type\": \"RobertaProcessing\", \"cls\": [\"<bos>\", 1], \"sep\": [\"<eos>\", 2]}";
        folder.withWords(roberta);
        assertArrayEquals(new long[] {1, 5, 2, 0, 0, 0, 0, 0}, encode("red").ids());
        folder.withWords("{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, " + roberta + "]}");
        assertArrayEquals(new long[] {1, 5, 2, 0, 0, 0, 0, 0}, encode("red").ids());
        folder.withWords("null");
        assertArrayEquals(new long[] {5, 0, 0, 0, 0, 0, 0, 0}, encode("red").ids());
    }

    @Test
    void refusesUseAfterTheCloseAndEndlessPrompts() throws IOException {
        folder.withWords(TokenizerFolder.TEMPLATE);
        Tokenizer tokenizer = Tokenizer.open(path);
        assertEquals(8, tokenizer.length());
        assertTrue(
            assertThrows(RequestException.class, () -> tokenizer.encode("a".repeat(1 << 17))).getMessage()
            .contains("131072 characters"));
        assertEquals(32768 + 2, tokenizer.encode("a ".repeat(1 << 15)).needed());
        tokenizer.close();
        tokenizer.close();
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("a"));
    }
}
