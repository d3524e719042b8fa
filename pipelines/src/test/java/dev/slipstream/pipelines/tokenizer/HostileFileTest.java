package dev.slipstream.pipelines.tokenizer;

import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.BYTE_LEVEL;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.added;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.file;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.ours;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.split;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.ModelException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files that would keep a tokenizer busy for ever, fill the memory or end the process, were they followed. */
class HostileFileTest {
    private static final int LONGEST_PROMPT = 1 << 16;

    private static void assertRefused(String expected, String json) {
        String message = assertThrows(ModelException.class, () -> ours(json)).getMessage();
        assertTrue(message.contains(expected) && message.length() < 500, message);
    }

    private static String normalized(String step) {
        return file(step, "null", words("[UNK]"));
    }

    private static String model(String type, String vocabulary, String settings) {
        return file("null", "null", "{\"type\": \"" + type + "\", \"vocab\": " + vocabulary + ", " + settings + "}");
    }

    private static String repeated(String step, int count) {
        return "{\"type\": \"Sequence\", \"normalizers\": [" + (step + ",").repeat(count - 1) + step + "]}";
    }

    @Test
    void expressionsThatAreNotKnownAreRefused() {
        for (String regex : List.of("(a+)+$", "(a|aa)+", "\\s+$", "(?=x)", "[", "\\p{L", "", "a|b", "x*", "\\X",
            "(.*)*", "\\1", " {1000000000,}", "\\s+|\\S+", ".")) {
            assertRefused("\"pattern\" ", file("null", split(regex, "Removed", false), words("[UNK]")));
        }
    }

    @Test
    void stepsThatDoubleTheTextAreStopped() {
        TokenEncoder doubling = ours(normalized(repeated(
            "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"aa\"}", 30)));
        assertEquals(1, doubling.encode("b").ids().length);
        assertTrue(assertThrows(ModelException.class, () -> doubling.encode("aaa")).getMessage()
            .contains("tokenizer.json makes more than"));
        TokenEncoder longer = ours(normalized(repeated("{\"type\": \"Prepend\", \"prepend\": \"" + "x".repeat(100_000)
            + "\"}", 5)));
        assertThrows(ModelException.class, () -> longer.encode("a"));
    }

    @Test
    void stepsWithoutEndAreRefused() {
        assertRefused("more than 32 steps", normalized(repeated("{\"type\": \"NFC\"}", 33)));
        String nested = "{\"type\": \"Lowercase\"}";
        for (int depth = 0; depth < 100; depth++) {
            nested = "{\"type\": \"Sequence\", \"normalizers\": [" + nested + "]}";
        }
        assertEquals(1, ours(normalized(nested)).encode("RED").ids().length);
    }

    @Test
    void tokensThatAreFarTooLongAreRefused() {
        assertRefused("too long", file("null", "null", words("[UNK]"), added(50, "x".repeat(257), false)));
        assertRefused("more than 256 characters", model("Unigram", "[[\"" + "x".repeat(257) + "\", 0]]",
            "\"unk_id\": 0"));
        assertRefused("must be at most 256", model("WordPiece", "{}", "\"max_input_chars_per_word\": 257"));
        assertRefused("at most 32 characters", model("BPE", "{}",
            "\"merges\": [], \"end_of_word_suffix\": \"" + "x".repeat(33) + '"'));
    }

    @Test
    void whatIsNotSupportedIsRefusedByName() {
        assertRefused("\"Nmt\"", normalized("{\"type\": \"Nmt\"}"));
        assertRefused("\"UnicodeScripts\"", file("null", "{\"type\": \"UnicodeScripts\"}", words("[UNK]")));
        assertRefused("\"Other\"", file("null", "null", "{\"type\": \"Other\"}"));
        assertRefused("\"dropout\"", model("BPE", "{}", "\"merges\": [], \"dropout\": 0.1"));
        assertRefused("\"merges\" has \"a\"", model("BPE", "{}", "\"merges\": [\"a b\"]"));
        assertRefused("two pieces", model("BPE", "{}", "\"merges\": [\"a b c\"]"));
        assertRefused("\"unk_id\" must be one of the 1", model("Unigram", "[[\"a\", 0]]", "\"unk_id\": 1"));
        assertRefused("\"vocab\" must be a whole number", model("WordLevel", "{\"a\": 4294967296}",
            "\"unk_token\": null"));
    }

    @Test
    void textWithoutTokensIsRefusedWhereNoneStandsForIt() {
        for (String json : List.of(model("WordLevel", "{\"a\": 0}", "\"unk_token\": null"),
            model("WordPiece", "{}", "\"unk_token\": \"?\""), model("Unigram", "[[\"a\", 0]]", "\"unk_id\": null"),
            model("BPE", "{\"a\": 0}", "\"merges\": [], \"unk_token\": \"?\""))) {
            TokenEncoder encoder = ours(json);
            assertTrue(assertThrows(ModelException.class, () -> encoder.encode("x")).getMessage()
                .contains("the prompt has"));
        }
        assertEquals(0, ours(model("BPE", "{\"a\": 0}", "\"merges\": []")).encode("x").ids().length);
    }

    /** Each would take minutes or hours by the usual, quadratic ways; the test is that it ends at all. */
    @Test
    void longPromptsTakeNoLongerThanTheirLengthAllows() {
        StringBuilder vocabulary = new StringBuilder("\"a\": 0");
        StringBuilder merges = new StringBuilder();
        for (int length = 2; length < 2000; length++) {
            vocabulary.append(", \"").append("a".repeat(length)).append("\": ").append(length);
            merges.append(length == 2 ? "" : ",").append("[\"").append("a".repeat(length - 1)).append("\", \"a\"]");
        }
        TokenEncoder merging = ours(file("null", "null",
            "{\"type\": \"BPE\", \"vocab\": {" + vocabulary + "}, \"merges\": [" + merges + "]}"));
        assertEquals(LONGEST_PROMPT / 2, merging.encode("a".repeat(LONGEST_PROMPT)).ids().length);

        TokenEncoder stripping = ours(file("null", BYTE_LEVEL, TokenizerJsons.bytePairs("", ""),
            added(300, " ", false, "\"lstrip\": true", "\"rstrip\": true"), added(301, "a".repeat(255) + "b", false),
            added(302, "a".repeat(256), true)));
        assertEquals(1, stripping.encode(" ".repeat(LONGEST_PROMPT)).ids().length);
        assertEquals(LONGEST_PROMPT / 256, stripping.encode("a".repeat(LONGEST_PROMPT)).ids().length);

        for (String form : List.of("NFC", "NFKD")) {
            TokenEncoder normalizing = ours(file("{\"type\": \"" + form + "\"}", BYTE_LEVEL,
                TokenizerJsons.bytePairs("", "")));
            String marks = "\u0316\u0300".repeat(LONGEST_PROMPT / 2);
            assertEquals(2 * LONGEST_PROMPT, normalizing.encode(marks).ids().length);
        }
    }
}
