package dev.slipstream.pipelines.model.init;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the folder of a CLIP tokenizer in the form with vocab.json and merges.txt. */
final class TokenizerWriter {
    private static final int LENGTH = 77;

    private TokenizerWriter() {
    }

    /**
     * @param settings the token for padding
     * @param size ids in all
     */
    static void write(Path folder, JsonObject settings, int size) throws IOException {
        SmallVocabulary vocabulary = new SmallVocabulary(size);
        Json.write(folder.resolve("vocab.json"), vocabulary.vocabulary());
        Files.writeString(folder.resolve("merges.txt"), vocabulary.merges());
        JsonObject special = new JsonObject();
        special.addProperty("bos_token", SmallVocabulary.START);
        special.addProperty("eos_token", SmallVocabulary.END);
        special.addProperty("unk_token", SmallVocabulary.END);
        special.add("pad_token", settings.get("pad_token"));
        Json.write(folder.resolve("special_tokens_map.json"), special);
        JsonObject config = special.deepCopy();
        config.addProperty("tokenizer_class", "CLIPTokenizer");
        config.addProperty("model_max_length", LENGTH);
        config.addProperty("do_lower_case", true);
        config.addProperty("add_prefix_space", false);
        Json.write(folder.resolve("tokenizer_config.json"), config);
    }
}
