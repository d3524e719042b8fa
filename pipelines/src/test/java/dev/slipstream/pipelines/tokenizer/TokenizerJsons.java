package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small tokenizer.json files of all kinds that are read. */
final class TokenizerJsons {
    static final String BYTE_LEVEL = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true}";
    static final String CLIP_NORMALIZER = """
        {"type": "Sequence", "normalizers": [{"type": "NFC"},
         {"type": "Replace", "pattern": {"Regex": "\\\\s+"}, "content": " "}, {"type": "Lowercase"}]}""";
    static final String WORDS_OF_CLIP = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    private static final List<String> WORDS = List.of("red", "star", "stars", "don", "'t", "'s", "the", "!!", "...",
        "\u00C3\u00A9", "aaaa", "abab", "aa", "ba");

    private TokenizerJsons() {
    }

    static String split(String regex, String behavior, boolean inverted) {
        JsonObject split = JsonParser.parseString("{\"type\": \"Split\", \"pattern\": {}}").getAsJsonObject();
        split.getAsJsonObject("pattern").addProperty("Regex", regex);
        split.addProperty("behavior", behavior);
        split.addProperty("invert", inverted);
        return split.toString();
    }

    static String sequence(String... preTokenizers) {
        return "{\"type\": \"Sequence\", \"pretokenizers\": [" + String.join(",", preTokenizers) + "]}";
    }

    /** Any of these parts may be "null". */
    static String file(String normalizer, String preTokenizer, String model, String... added) {
        return """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [%s], "normalizer": %s,
             "pre_tokenizer": %s, "post_processor": null, "decoder": null, "model": %s}
            """.formatted(String.join(",", added), normalizer, preTokenizer, model);
    }

    /** @param flags such as {@code "lstrip": true} */
    static String added(int id, String content, boolean normalized, String... flags) {
        JsonObject token = JsonParser.parseString("{" + String.join(",", flags) + "}").getAsJsonObject();
        token.addProperty("id", id);
        token.addProperty("content", content);
        token.addProperty("normalized", normalized);
        for (String flag : List.of("single_word", "lstrip", "rstrip")) {
            token.addProperty(flag, token.has(flag));
        }
        token.addProperty("special", !normalized);
        return token.toString();
    }

    /** Bytes, and merges for a few words; ids after {@code bytePairs("")} are free from {@link #size} on. */
    static String bytePairs(String wordEnd, String settings) {
        JsonObject model = JsonParser.parseString("{\"type\": \"BPE\"" + settings + "}").getAsJsonObject();
        model.addProperty("end_of_word_suffix", wordEnd);
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (String sign : signs()) {
            ids.put(sign, ids.size());
        }
        if (!wordEnd.isEmpty()) {
            signs().forEach(sign -> ids.put(sign + wordEnd, ids.size()));
        }
        JsonArray merges = new JsonArray();
        for (String word : WORDS) {
            String left = word.substring(0, 1);
            for (int i = 1; i < word.length(); i++) {
                String right = word.charAt(i) + (i == word.length() - 1 ? wordEnd : "");
                if (ids.putIfAbsent(left + right, ids.size()) == null) {
                    merges.add(left + " " + right);
                }
                left += right;
            }
        }
        JsonObject vocabulary = new JsonObject();
        ids.forEach(vocabulary::addProperty);
        model.add("vocab", vocabulary);
        model.add("merges", merges);
        return model.toString();
    }

    /** How many tokens a model has. */
    static int size(String model) {
        JsonObject vocabulary = JsonParser.parseString(model).getAsJsonObject().getAsJsonObject("vocab");
        return vocabulary.size();
    }

    /** The signs for bytes, as openai/gpt-2 makes them. */
    private static List<String> signs() {
        List<String> visible = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            if (value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE) {
                visible.add(Character.toString(value));
            } else {
                others.add(Character.toString(256 + others.size()));
            }
        }
        visible.addAll(others);
        return visible;
    }

    static String words(String unknown) {
        return """
            {"type": "WordLevel", "unk_token": "%s", "vocab": {"<pad>": 0, "[UNK]": 1, "a": 2, "red": 3, "star": 4,
             "b": 5, "!": 6, "don": 7, "'": 8, "t": 9, "\u00E9": 10, "e": 11, "\u4E2D": 12, ".": 13, ",": 14}}
            """.formatted(unknown);
    }

    static String wordPieces() {
        return """
            {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
             "max_input_chars_per_word": 12, "vocab": {"[UNK]": 0, "a": 1, "##a": 2, "aaa": 3, "##aa": 4, "red": 5,
             "star": 6, "##s": 7, "st": 8, "##ar": 9, "d": 10, "##o": 11, "##n": 12, "'": 13, "t": 14, "!": 15,
             "b": 16, "##b": 17, "ab": 18, "##ab": 19, "\u4E2D": 20, "e": 21, "\uD83D\uDE00": 22, "x": 23, "##4": 24,
             "##2": 25, ".": 26, "##d": 27, "##": 28}}
            """;
    }

    static String unigram(boolean fallsBack) {
        StringBuilder bytes = new StringBuilder();
        for (int value = 0; value < 256 && fallsBack; value++) {
            bytes.append(", [\"<0x%02X>\", -9.5]".formatted(value));
        }
        return """
            {"type": "Unigram", "unk_id": 0, "byte_fallback": %s, "vocab": [["<unk>", 0.0], ["\u2581", -2.5],
             ["\u2581a", -3.5], ["a", -3.25], ["aa", -4.0], ["aaa", -6.5], ["ab", -4.5], ["aba", -7.0], ["b", -3.0],
             ["\u2581red", -5.0], ["red", -6.0], ["re", -4.75], ["d", -3.75], ["s", -3.5], ["t", -3.5], ["st", -5.25],
             ["star", -7.5], ["ar", -5.5], ["\u2581star", -6.25], [".", -3.0], ["!", -3.5], ["\u00E9", -6.0],
             ["\u4E2D\u6587", -8.0], ["e", -3.0], ["o", -3.5], ["n", -3.5], ["'", -4.0], ["aaaa", -6.5],
             ["\uD83D\uDE00", -8.5], ["xyz", -8.0]%s]}
            """.formatted(fallsBack, bytes);
    }

    /** What ours is made of, with the added tokens that the file lists. */
    static TokenEncoder ours(String json) {
        ConfigFile file = new ConfigFile(Path.of("tokenizer.json"), JsonParser.parseString(json).getAsJsonObject());
        return TokenEncoder.read(file).withAdded(file.objects("added_tokens").stream()
            .map(token -> AddedToken.read(token, token.index("id", token.element("id").orElseThrow()), false))
            .toList());
    }
}
