package dev.slipstream.pipelines.tokenizer;

import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.BYTE_LEVEL;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.CLIP_NORMALIZER;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.WORDS_OF_CLIP;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.added;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.bytePairs;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.file;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.sequence;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.size;
import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.split;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One tokenizer of each kind that is supported. */
public final class TokenizerKinds {
    private static final String CLIP = bytePairs("</w>", ", \"unk_token\": \"!\"");
    private static final String GPT2 = bytePairs("", "");

    private TokenizerKinds() {
    }

    /** The tokenizer.json of each, by a name for messages. */
    static Map<String, String> all() {
        Map<String, String> files = new LinkedHashMap<>();
        int next = size(CLIP);
        String[] tokens = {added(next, "<|startoftext|>", false), added(next + 1, "<|endoftext|>", false),
            added(next + 2, "<cat>", true), added(next + 3, "<cat>_1", true)};
        files.put("clip", file(CLIP_NORMALIZER, sequence(split(WORDS_OF_CLIP, "Removed", true), BYTE_LEVEL), CLIP,
            tokens));
        files.put("clip of transformers 5", file(CLIP_NORMALIZER, sequence(split(
            "<\\|startoftext\\|>|<\\|endoftext\\|>|" + WORDS_OF_CLIP, "Removed", true), BYTE_LEVEL), CLIP));
        files.put("stripping tokens", file("{\"type\": \"Lowercase\"}", BYTE_LEVEL, GPT2,
            added(size(GPT2), "<mask>", false, "\"lstrip\": true"),
            added(size(GPT2) + 1, "<cat>", true, "\"rstrip\": true"),
            added(size(GPT2) + 2, "sun", true, "\"single_word\": true"),
            added(size(GPT2) + 3, "\u00C9t\u00E9", true, "\"lstrip\": true", "\"rstrip\": true")));
        files.put("gpt2", file("null", BYTE_LEVEL, GPT2, added(size(GPT2), "<|endoftext|>", false)));
        files.put("gpt2 with a blank", file("{\"type\": \"NFKC\"}", BYTE_LEVEL.replace("false", "true"), GPT2));
        files.put("llama 3", modern("\\p{N}{1,3}"));
        files.put("qwen 2", modern("\\p{N}"));
        for (String form : List.of("NFC", "NFD", "NFKC", "NFKD")) {
            files.put(form, file("{\"type\": \"" + form + "\"}", BYTE_LEVEL, GPT2));
        }
        String both = """
            {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": true, "strip_right": true},
             {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Prepend", "prepend": "_"},
             {"type": "Replace", "pattern": {"String": "ab"}, "content": "b"}]}""";
        files.put("steps", file(both, "{\"type\": \"Whitespace\"}", TokenizerJsons.words("[UNK]")));
        files.put("word by word", file("{\"type\": \"Lowercase\"}", "{\"type\": \"WhitespaceSplit\"}",
            TokenizerJsons.words("[UNK]"), added(0, "<pad>", false)));
        files.put("bert", file("{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, "
            + "\"strip_accents\": null, \"lowercase\": true}", "{\"type\": \"BertPreTokenizer\"}",
            TokenizerJsons.wordPieces(), added(0, "[UNK]", false)));
        for (String behavior : List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")) {
            files.put(behavior, file("null", sequence("{\"type\": \"Punctuation\", \"behavior\": \"" + behavior + "\"}",
                split("\\s", behavior, false), split("\\p{N}+", behavior, true),
                "{\"type\": \"Digits\", \"individual_digits\": false}", BYTE_LEVEL), GPT2));
        }
        for (String scheme : List.of("always", "first", "never")) {
            files.put("unigram " + scheme, file("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, "
                + "\"content\": \" \"}", "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \""
                + scheme + "\", \"split\": " + !scheme.equals("never") + "}",
                TokenizerJsons.unigram(scheme.equals("first")), added(0, "<unk>", false)));
        }
        files.put("pieces with bytes", file("null", "null", """
            {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "ignore_merges": true,
             "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3, "abab": 4, "<0xC3>": 5, "<0xA9>": 6, "aa": 7, " ": 8,
             "red": 9},
             "merges": [["a", "b"], ["a", "a"]]}"""));
        return files;
    }

    private static String modern(String digits) {
        String regex = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        return file("{\"type\": \"NFC\"}", sequence(split(regex, "Isolated", false),
            BYTE_LEVEL.replace("}", ", \"use_regex\": false}")), GPT2);
    }

    /** As folders of models: the texts of their files by name. */
    public static List<Map<String, String>> folders() {
        List<Map<String, String>> folders = new ArrayList<>();
        String template = """
            {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "</s>", "type_id": 0}}], "special_tokens": {"</s>": {"ids": [1]}}}""";
        all().values().forEach(json -> folders.add(Map.of("tokenizer.json",
            json.replace("\"padding\": null", "\"padding\": {\"strategy\": {\"Fixed\": 12}, \"pad_id\": 0}")
                .replace("\"post_processor\": null", "\"post_processor\": " + template),
            "tokenizer_config.json", "{\"model_max_length\": 16, \"additional_special_tokens\": [\"a\"]}")));
        String map = CharacterMaps.write(Map.of("\u00E9", "e", "\uFDFA", "four words"));
        folders.add(Map.of("tokenizer.json", file("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"" + map
            + "\"}", "null", TokenizerJsons.unigram(true)), "special_tokens_map.json", "{\"pad_token\": \"a\"}"));
        JsonObject model = JsonParser.parseString(CLIP).getAsJsonObject();
        JsonObject vocabulary = model.getAsJsonObject("vocab");
        String special = "\"bos_token\": \"!\", \"eos_token\": {\"content\": \"?\", \"lstrip\": true}";
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        model.getAsJsonArray("merges").forEach(merge -> merges.append(merge.getAsString()).append('\n'));
        folders.add(Map.of("vocab.json", vocabulary.toString(), "merges.txt", merges.toString(),
            "added_tokens.json", "{\"<cat>\": " + vocabulary.size() + ", \"<Dog>\": 5000}",
            "special_tokens_map.json", "{" + special + "}"));
        folders.add(Map.of("vocab.json", vocabulary.toString(), "merges.txt", merges.toString(),
            "tokenizer_config.json", "{\"added_tokens_decoder\": {\"900\": "
                + "{\"content\": \"<cat>\", \"single_word\": true, \"rstrip\": true}}, "
                + special + "}"));
        return folders;
    }
}
