package dev.slipstream.pipelines.diffusion.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.LoggedWarnings;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.tokenizer.TokenNames;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that textual inversion adds to CLIP, in all files that can list them; ids of transformers 5.12.1. */
class AddedTokensTest {
    private static final String NAMES = """
        "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>"
        """;

    @TempDir
    private Path path;
    private TokenizerFolder folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = new TokenizerFolder(path);
        for (String file : new String[] {"vocab.json", "merges.txt"}) {
            try (InputStream in = AddedTokensTest.class.getResourceAsStream("clip/" + file)) {
                Files.copy(in, path.resolve(file));
            }
        }
        config("");
    }

    private void config(String more) throws IOException {
        folder.put("tokenizer_config.json", "{\"model_max_length\": 77, " + NAMES + more + "}");
    }

    private void assertTokens(String prompt, long... inner) {
        long[] expected = new long[77];
        Arrays.fill(expected, 1023);
        expected[0] = 1022;
        System.arraycopy(inner, 0, expected, 1, inner.length);
        try (Tokenizer tokenizer = Tokenizer.open(path)) {
            assertArrayEquals(expected, tokenizer.encode(prompt).ids(), prompt);
        }
    }

    private void assertRefused(String expected) {
        String message = assertThrows(ModelException.class, () -> Tokenizer.open(path).close()).getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void tokensOfTextualInversionAreFoundLongestFirst() throws IOException {
        folder.put("added_tokens.json", "{\"<cat-toy>\": 629, \"<cat-toy>_1\": 630}");
        assertTokens("a photo of <cat-toy> on a table", 320, 589, 515, 629, 516, 320, 83, 64, 542, 324);
        assertTokens("<cat-toy>", 629);
        assertTokens("a<cat-toy>b", 320, 629, 321);
        assertTokens("<cat-toy>_1 <cat-toy>", 630, 629);
        assertTokens("a cat on a table", 320, 598, 516, 320, 83, 64, 542, 324);
    }

    @Test
    void theyAreFoundInAnyCaseUnlessTheyAreSpecial() throws IOException {
        folder.put("added_tokens.json", "{\"<Cat>\": 629, \"<Dog>\": 630}");
        config(", \"additional_special_tokens\": [\"<Dog>\"]");
        assertTokens("a <cat> <CAT> <Dog>", 320, 629, 629, 630);
        assertTokens("<dog>", 283, 600, 285);
    }

    @Test
    void theConfigurationSaysWhatBelongsToAToken() throws IOException {
        folder.put("added_tokens.json", "{\"<ignored>\": 631, \"<cat>\": 629}");
        config("""
            , "added_tokens_decoder": {
              "629": {"content": "<cat>", "lstrip": true, "rstrip": true, "normalized": false, "special": false},
              "630": {"content": "sun", "single_word": true, "normalized": true, "special": false}}""");
        assertTokens("a  <cat>  cat", 320, 629, 598);
        assertTokens("a sun, SUN", 320, 630, 267, 630);
        assertTokens("sunny", 82, 84, 77, 77, 344);
        assertTokens("<ignored>", 283, 72, 70, 77, 78, 537, 285);
    }

    @Test
    void specialTokensOfTheConfigurationKeepTheirSettings() throws IOException {
        assertTokens("a <|EndOfText|>", 320, 27, 347, 68, 77, 599, 69, 83, 68, 87, 339, 91, 285);
        folder.put("tokenizer_config.json", "{\"model_max_length\": 77, "
            + NAMES.replace("\"eos_token\": \"<|endoftext|>\"",
            "\"eos_token\": {\"content\": \"<|endoftext|>\", \"normalized\": true}") + "}");
        assertTokens("a <|EndOfText|>a", 320, 1023, 320);
    }

    @Test
    void aTokenWithTwoIdsIsRefused() throws IOException {
        folder.put("added_tokens.json", "{\"<cat>\": 629, \"a</w>\": 630}");
        assertRefused("added_tokens.json gives the token a</w> the id 630, but it is 320 already");
        folder.put("added_tokens.json", "{\"<cat>\": \"x\"}");
        assertRefused("added_tokens.json: \"<cat>\" must be a number");
        folder.put("added_tokens.json", "{\"<cat>\": -1}");
        assertRefused("not negative");
        folder.put("added_tokens.json", "{\"" + "x".repeat(300) + "\": 629}");
        assertRefused("an added token is too long");
    }

    @Test
    void tokensOfTheOlderListThatAreNotInTheNewerAreNamed() throws IOException {
        folder.put("added_tokens.json", "{\"<cat>\": 629, \"<dog>\": 630}");
        config(", \"added_tokens_decoder\": {\"629\": {\"content\": \"<cat>\"}}");
        try (LoggedWarnings warnings = new LoggedWarnings(TokenNames.class.getName())) {
            Tokenizer.open(path).close();
            assertEquals(1, warnings.messages().size());
            String warning = warnings.messages().getFirst();
            assertTrue(warning.contains("<dog> is not read") && !warning.contains("<cat>"), warning);
        }
        folder.put("added_tokens.json", "{\"<cat>\": 629}");
        try (LoggedWarnings warnings = new LoggedWarnings(TokenNames.class.getName())) {
            Tokenizer.open(path).close();
            assertEquals(List.of(), warnings.messages());
        }
    }
}
