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
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Any prompt has the ids that huggingface/tokenizers gives it, for each kind of tokenizer. */
class OracleTest {
    private static final String CLIP = bytePairs("</w>", ", \"unk_token\": \"!\"");
    private static final String GPT2 = bytePairs("", "");
    private static final Map<String, String> FILES = files();
    private static final Map<String, NativeTokenizer> THEIRS = new ConcurrentHashMap<>();
    private static final Map<String, TextEncoder> OURS = FILES.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, file -> TokenizerJsons.ours(file.getValue())));

    private static Map<String, String> files() {
        Map<String, String> files = new LinkedHashMap<>();
        int next = size(CLIP);
        String[] tokens = {added(next, "<|startoftext|>", false), added(next + 1, "<|endoftext|>", false),
            added(next + 2, "<cat>", true), added(next + 3, "<cat>_1", true)};
        files.put("clip", file(CLIP_NORMALIZER, sequence(split(WORDS_OF_CLIP, "Removed", true), BYTE_LEVEL), CLIP,
            tokens));
        files.put("clip of transformers 5", file(CLIP_NORMALIZER, sequence(split(
            "<\\|startoftext\\|>|<\\|endoftext\\|>|" + WORDS_OF_CLIP, "Removed", true), BYTE_LEVEL), CLIP));
        files.put("stripping tokens", file("{\"type\": \"Lowercase\"}", BYTE_LEVEL, GPT2,
            added(size(GPT2), "<mask>", false, "\"lstrip\": true"), added(size(GPT2) + 1, "<cat>", true, "\"rstrip\": true"),
            added(size(GPT2) + 2, "sun", true, "\"single_word\": true"),
            added(size(GPT2) + 3, "\u00C9t\u00E9", true, "\"lstrip\": true", "\"rstrip\": true")));
        files.put("gpt2", file("null", BYTE_LEVEL, GPT2, added(size(GPT2), "<|endoftext|>", false)));
        files.put("gpt2 with a blank", file("{\"type\": \"NFKC\"}", BYTE_LEVEL.replace("false", "true"), GPT2));
        files.put("llama 3", modern("\\p{N}{1,3}"));
        files.put("qwen 2", modern("\\p{N}"));
        for (String form : List.of("NFC", "NFD", "NFKC", "NFKD")) {
            files.put(form, file("{\"type\": \"" + form + "\"}", BYTE_LEVEL, GPT2));
        }
        String both = "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}, {\"type\": \"NFD\"}, "
            + "{\"type\": \"StripAccents\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \"ab\"}, \"content\": \"b\"},"
            + "{\"type\": \"Prepend\", \"prepend\": \"_\"}]}";
        files.put("steps", file(both, "{\"type\": \"Whitespace\"}", TokenizerJsons.words("[UNK]")));
        files.put("word by word", file("{\"type\": \"Lowercase\"}", "{\"type\": \"WhitespaceSplit\"}",
            TokenizerJsons.words("[UNK]"), added(0, "<pad>", false)));
        files.put("bert", file("{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, "
            + "\"strip_accents\": null, \"lowercase\": true}", "{\"type\": \"BertPreTokenizer\"}",
            TokenizerJsons.wordPieces(), added(0, "[UNK]", false)));
        for (String behavior : List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")) {
            files.put(behavior, file("null", sequence("{\"type\": \"Punctuation\", \"behavior\": \"" + behavior + "\"}",
                split("\\s", behavior, false), split("\\p{N}+", behavior, true), "{\"type\": \"Digits\", \"individual_digits\": false}", BYTE_LEVEL), GPT2));
        }
        for (String scheme : List.of("always", "first", "never")) {
            files.put("unigram " + scheme, file("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, "
                + "\"content\": \" \"}", "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \""
                + scheme + "\", \"split\": " + !scheme.equals("never") + "}",
                TokenizerJsons.unigram(scheme.equals("first")), added(0, "<unk>", false)));
        }
        files.put("pieces with bytes", file("null", "null", """
            {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "ignore_merges": true,
             "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3, "abab": 4, "<0xC3>": 5, "<0xA9>": 6, "aa": 7, " ": 8, "red": 9},
             "merges": [["a", "b"], ["a", "a"]]}"""));
        return files;
    }

    private static String modern(String digits) {
        String regex = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        return file("{\"type\": \"NFC\"}", sequence(split(regex, "Isolated", false),
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}"), GPT2);
    }

    private static NativeTokenizer theirs(String name) {
        return THEIRS.computeIfAbsent(name, key -> new NativeTokenizer(FILES.get(key)));
    }

    @Provide
    Arbitrary<String> prompts() {
        return Prompts.any();
    }

    @Property(tries = 400)
    void aPromptHasTheSameIdsInEachKindOfTokenizer(@ForAll("prompts") String prompt) {
        FILES.keySet().forEach(name -> assertArrayEquals(theirs(name).encode(prompt).ids(),
            OURS.get(name).encode(prompt).ids(), () -> name + ": " + escaped(prompt)));
    }

    @Property(tries = 100)
    void tokensBeginWhereTheyDoInThePrompt(@ForAll("prompts") String prompt) {
        String plain = prompt.replaceAll("[^ -~]", "");
        for (String name : List.of("clip", "gpt2", "llama 3", "word by word", "Isolated")) {
            assertArrayEquals(theirs(name).encode(plain).starts(), OURS.get(name).encode(plain).starts(),
                () -> name + ": " + plain);
        }
    }

    /** Merges that overlap, in an order that makes many of those in the queue stale. */
    @Property(tries = 150)
    void mergesAreDoneInTheSameOrder(@ForAll("merges") List<String> merges, @ForAll("words") String word) {
        StringBuilder vocabulary = new StringBuilder("\"a\": 0, \"b\": 1, \"c\": 2");
        List<String> known = new ArrayList<>(List.of("a", "b", "c"));
        for (String merge : merges) {
            String whole = merge.replace(" ", "");
            if (!known.contains(whole)) {
                vocabulary.append(", \"").append(whole).append("\": ").append(known.size());
                known.add(whole);
            }
        }
        String listed = merges.stream().filter(merge -> Arrays.stream(merge.split(" ")).allMatch(known::contains))
            .map(merge -> '"' + merge + '"').collect(Collectors.joining(","));
        String json = file("null", "null", "{\"type\": \"BPE\", \"vocab\": {" + vocabulary + "}, \"merges\": [" + listed + "]}");
        try (NativeTokenizer theirs = new NativeTokenizer(json)) {
            assertArrayEquals(theirs.encode(word).ids(), TokenizerJsons.ours(json).encode(word).ids(), word + " " + json);
        }
    }

    @Provide
    Arbitrary<List<String>> merges() {
        Arbitrary<String> half = Arbitraries.strings().withChars('a', 'b', 'c').ofMinLength(1).ofMaxLength(3);
        return half.tuple2().map(halves -> halves.get1() + " " + halves.get2()).list().ofMaxSize(60);
    }

    @Provide
    Arbitrary<String> words() {
        return Arbitraries.strings().withChars('a', 'b', 'c').ofMaxLength(40);
    }

    private static String escaped(String text) {
        return text.chars().mapToObj(c -> c >= ' ' && c <= '~' ? Character.toString(c) : "\\u%04X".formatted(c))
            .collect(Collectors.joining());
    }
}
