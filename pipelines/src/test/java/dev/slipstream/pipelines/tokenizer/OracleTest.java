package dev.slipstream.pipelines.tokenizer;

import static dev.slipstream.pipelines.tokenizer.TokenizerJsons.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** Any prompt has the ids that huggingface/tokenizers gives it, for each kind of tokenizer. */
@AddLifecycleHook(NativeTokenizer.OrSkip.class)
class OracleTest {
    private static final Map<String, String> FILES = TokenizerKinds.all();
    private static final Map<String, NativeTokenizer> THEIRS = new ConcurrentHashMap<>();
    private static final Map<String, TokenEncoder> OURS = FILES.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, file -> TokenizerJsons.ours(file.getValue())));

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
        String json = file("null", "null",
            "{\"type\": \"BPE\", \"vocab\": {" + vocabulary + "}, \"merges\": [" + listed + "]}");
        try (NativeTokenizer theirs = new NativeTokenizer(json)) {
            assertArrayEquals(theirs.encode(word).ids(), TokenizerJsons.ours(json).encode(word).ids(),
                word + " " + json);
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
