package dev.slipstream.pipelines.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.tokenizer.Normalizer.CharacterMap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.junit.jupiter.api.Test;

@AddLifecycleHook(NativeTokenizer.OrSkip.class)
class CharacterMapTest {
    private static final String MAP = CharacterMaps.write(Map.of("\u00E9", "e", "e\u0301", "e", "\t", " ",
        "\u00A0", " ", "\uFB01", "fi", "\uFF21", "a", "\0", "", "\uD83D\uDE00", ":)", "\u0301", "", "\u2460", "1"));

    private static CharacterMap read(String map) {
        JsonObject step = new JsonObject();
        step.addProperty("precompiled_charsmap", map);
        return CharacterMap.read(new ConfigFile(Path.of("tokenizer.json"), step));
    }

    private static String json(String map) {
        return TokenizerJsons.file("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"" + map + "\"}",
            "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \"always\", \"split\": true}",
            TokenizerJsons.unigram(true));
    }

    @Test
    void changesCharactersAndClusters() {
        AlignedText changed = read(MAP).normalize(AlignedText.of("x\u00E9e\u0301\t\uFB01\uD83D\uDE00y\u0301"));
        assertEquals("xee fi:)y", changed.text());
        assertEquals(4, changed.origin(3));
        assertEquals(8, changed.origin(8));
    }

    /** Ours and theirs, read once. */
    private record Pair(TokenEncoder ours, NativeTokenizer theirs) {
        private static final Pair READ = new Pair(TokenizerJsons.ours(json(MAP)), new NativeTokenizer(json(MAP)));
    }

    @Provide
    Arbitrary<String> prompts() {
        return Prompts.any();
    }

    @Property(tries = 300)
    void aPromptHasTheSameIdsAsInTheNativeLibrary(@ForAll("prompts") String prompt) {
        assertArrayEquals(Pair.READ.theirs.encode(prompt).ids(), Pair.READ.ours.encode(prompt).ids());
    }

    @Test
    void whatIsNoMapIsRefused() {
        for (String broken : new String[] {"", "AAAA", "AAAAAA==", "BAAAAA==", "/////wAAAAA=", "AwAAAAAAAA==", "!"}) {
            assertThrows(ModelException.class, () -> read(broken), broken);
        }
        assertThrows(ModelException.class, () ->
            CharacterMap.read(new ConfigFile(Path.of("tokenizer.json"), new JsonObject())));
    }

    @Test
    void aMapThatLeadsAstrayStillComesToAnEnd() {
        Random random = new Random(5);
        for (int i = 0; i < 2000; i++) {
            ByteBuffer map = ByteBuffer.wrap(Base64.getDecoder().decode(MAP)).order(ByteOrder.LITTLE_ENDIAN);
            int trie = map.getInt(0);
            for (int change = 0; change < 20; change++) {
                map.putInt(4 + random.nextInt(trie / 4) * 4, random.nextInt());
            }
            String text = "\u00E9 fi\t\uFF21\uD83D\uDE00";
            AlignedText changed = read(Base64.getEncoder().encodeToString(map.array()))
                .normalize(AlignedText.of(text));
            assertTrue(changed.length() <= text.length() * 64, changed.text());
        }
    }
}
