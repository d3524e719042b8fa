package dev.slipstream.pipelines.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.model.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePiecesTest {
    @TempDir
    private Path folder;

    @Test
    void theIdsAreThoseOfTransformers() throws IOException {
        Path reference = ReferenceModels.component("tokenizer_t5");
        for (String name : List.of("spiece.model", "special_tokens_map.json", "tokenizer_config.json")) {
            Files.copy(reference.resolve(name), folder.resolve(name));
        }
        List<JsonElement> cases = JsonParser.parseString(Files.readString(reference.resolve("expected.json")))
            .getAsJsonObject().getAsJsonArray("cases").asList();
        assertEquals(30, cases.size());
        try (Tokenizer tokenizer = Tokenizer.open(folder, OptionalInt.of(77))) {
            for (JsonElement one : cases) {
                JsonObject fields = one.getAsJsonObject();
                String text = fields.get("text").getAsString();
                assertArrayEquals(longs(fields, "input_ids"), tokenizer.encode(text).ids(), text);
                assertArrayEquals(longs(fields, "attention_mask"),
                    tokenizer.encode(text).chunks().getFirst().mask(), text);
            }
        }
    }

    private static long[] longs(JsonObject fields, String key) {
        return fields.getAsJsonArray(key).asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    }

    private void write(byte[]... parts) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        Files.write(folder.resolve("spiece.model"), all.toByteArray());
    }

    private static byte[] piece(String text, float score, int kind) {
        return SentencePieceModels.message(1, SentencePieceModels.piece(text, score, kind));
    }

    private static final byte[] END = piece("</s>", 0, 3);
    private static final byte[] UNKNOWN = piece("<unk>", 0, 2);

    @Test
    void aSmallModelIsRead() throws IOException {
        write(piece("<pad>", 0, 3), END, UNKNOWN, piece("\u2581a", -1, 1), piece("b", -2, 1));
        try (Tokenizer tokenizer = Tokenizer.open(folder, OptionalInt.of(6))) {
            assertArrayEquals(new long[] {3, 4, 1, 0, 0, 0}, tokenizer.encode("ab").ids());
            assertArrayEquals(new long[] {1, 1, 1, 0, 0, 0}, tokenizer.encode("ab").chunks().getFirst().mask());
        }
    }

    @Test
    void whatT5HasNotIsRefusedByName() throws IOException {
        refused("a model of kind 2", END, UNKNOWN, SentencePieceModels.message(2, SentencePieceModels.number(3, 2)));
        refused("byte_fallback", END, UNKNOWN, SentencePieceModels.message(2, SentencePieceModels.number(35, 1)));
        refused("a piece of kind 6", END, UNKNOWN, piece("<0x00>", 0, 6));
        refused("blanks are kept", END, UNKNOWN, SentencePieceModels.message(3, SentencePieceModels.number(4, 0)));
        refused("has no piece </s>", UNKNOWN);
        refused("is damaged: the score of a piece is NaN", END, piece("a", Float.NaN, 1));
    }

    private void refused(String words, byte[]... parts) throws IOException {
        write(parts);
        ModelException refused = assertThrows(ModelException.class, () -> Tokenizer.open(folder).close());
        assertTrue(refused.getMessage().contains("spiece.model") && refused.getMessage().contains(words),
            refused.getMessage());
    }

    @Test
    void damagedFilesAreReadOrRefusedInOneSentence() throws IOException {
        write(piece("<pad>", 0, 3), END, UNKNOWN, piece("\u2581a", -1, 1), piece("b", -2, 1),
            SentencePieceModels.message(2, SentencePieceModels.number(3, 1)));
        byte[] whole = Files.readAllBytes(folder.resolve("spiece.model"));
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] damaged = Arrays.copyOf(whole, i % 3 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int change = 0; damaged.length > 0 && change < 1 + i % 4; change++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            Files.write(folder.resolve("spiece.model"), damaged);
            try (Tokenizer tokenizer = Tokenizer.open(folder, OptionalInt.of(8))) {
                tokenizer.encode("a b");
            } catch (ModelException damage) {
                refused++;
            }
        }
        assertTrue(refused > 1000 && refused < 3000, refused + " refused");
    }
}
