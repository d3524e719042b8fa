package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Ids by token, and the token for unknown text.
 *
 * @param source for messages
 * @param unknown the token for what is not known; null if there is none
 */
record Vocabulary(ConfigFile source, Map<String, Integer> ids, String unknown) {
    /** @param unknown the token for what is not known, if the model does not name one; may be null */
    static Vocabulary read(ConfigFile model, String unknown) {
        ConfigFile listed = model.object("vocab").orElseThrow(() -> model.wrong("vocab", "is missing"));
        Map<String, Integer> ids = HashMap.newHashMap(listed.root().size());
        for (Map.Entry<String, JsonElement> token : listed.root().entrySet()) {
            ids.put(token.getKey(), model.index("vocab", token.getValue()));
        }
        return new Vocabulary(model, ids, model.text("unk_token").orElse(unknown));
    }

    /** Empty if there is none. */
    OptionalInt unknownToken() {
        Integer id = unknown == null ? null : ids.get(unknown);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** @throws ModelException if there is none, so that the text cannot be encoded */
    int unknownId() {
        return unknownToken().orElseThrow(() -> new ModelException(source.path()
            + ": the prompt has what is not in the vocabulary, and \"unk_token\" "
            + (unknown == null ? "is not said" : "is not in it either: " + unknown)));
    }

    /** The ids of {@code <0x00>} to {@code <0xFF>}, -1 for what is missing. */
    int[] byteTokens() {
        int[] tokens = new int[256];
        for (int value = 0; value < tokens.length; value++) {
            tokens[value] = ids.getOrDefault("<0x%02X>".formatted(value), -1);
        }
        return tokens;
    }

    /** A text as tokens of its bytes; null if one of them is missing. */
    static int[] ofBytes(String text, int[] byteTokens) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            tokens[i] = byteTokens[bytes[i] & 0xFF];
            if (tokens[i] < 0) {
                return null;
            }
        }
        return tokens;
    }
}
