package dev.slipstream.pipelines.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.ReferenceModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.junit.jupiter.api.Test;

/** A tokenizer of T5 with its real character map; skipped where the reference folder is not. */
class T5TokenizerTest {
    @Test
    void encodesAsTransformersDoes() throws IOException {
        Path folder = ReferenceModels.component("tokenizer_t5");
        List<JsonElement> cases = JsonParser.parseString(Files.readString(folder.resolve("expected.json")))
            .getAsJsonObject().getAsJsonArray("cases").asList();
        assertEquals(30, cases.size());
        try (Tokenizer tokenizer = Tokenizer.open(folder, OptionalInt.of(77))) {
            for (JsonElement one : cases) {
                JsonObject fields = one.getAsJsonObject();
                String text = fields.get("text").getAsString();
                assertArrayEquals(fields.getAsJsonArray("input_ids").asList().stream()
                    .mapToLong(JsonElement::getAsLong).toArray(), tokenizer.encode(text).ids(), text);
            }
        }
    }

    /** Ours and theirs, read once. */
    private record Pair(TokenEncoder ours, NativeTokenizer theirs) {
        private static final Pair T5 = read();

        private static Pair read() {
            try {
                String json = Files.readString(ReferenceModels.component("tokenizer_t5").resolve("tokenizer.json"));
                return new Pair(TokenizerJsons.ours(json), new NativeTokenizer(json));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Provide
    Arbitrary<String> prompts() {
        return Prompts.any();
    }

    private static final class PairOrSkip extends NativeTokenizer.OrSkip {
        @Override
        void check() {
            ReferenceModels.component("tokenizer_t5");
            super.check();
        }
    }

    @Property(tries = 300)
    @AddLifecycleHook(PairOrSkip.class)
    void aPromptHasTheSameIdsAsInTheNativeLibrary(@ForAll("prompts") String prompt) {
        assertArrayEquals(Pair.T5.theirs.encode(prompt).ids(), Pair.T5.ours.encode(prompt).ids());
    }
}
