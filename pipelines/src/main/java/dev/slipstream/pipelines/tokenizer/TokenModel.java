package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ConfigFile;
import java.util.Map;

/** Encodes one word as tokens of a vocabulary. Immutable, for any thread. */
interface TokenModel {
    /**
     * Adds the tokens of a word, which is not empty.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if the word has no tokens, and the model has none for that
     */
    void encode(AlignedText word, Encoding.Builder tokens);

    /** Ids by token, for messages and for tokens that are named elsewhere. */
    Map<String, Integer> vocabulary();

    /** @throws dev.slipstream.pipelines.model.ModelException if it is damaged, or of a kind that is not supported */
    static TokenModel read(ConfigFile file) {
        ConfigFile model = file.object("model").orElseThrow(() -> file.wrong("model", "is missing"));
        String type = model.text("type").orElseGet(() -> guess(model));
        return switch (type) {
            case "BPE" -> BytePairs.read(model);
            case "WordLevel" -> new WholeWords(Vocabulary.read(model, "<unk>"));
            case "WordPiece" -> WordPieces.read(model);
            case "Unigram" -> Unigram.read(model);
            default -> throw model.wrong("model", "is of a kind that is not supported, \"" + type + "\"");
        };
    }

    /** Old files do not name the type. */
    private static String guess(ConfigFile model) {
        if (model.has("merges")) {
            return "BPE";
        }
        if (model.has("max_input_chars_per_word")) {
            return "WordPiece";
        }
        return model.element("vocab").filter(JsonElement::isJsonArray).isPresent() ? "Unigram" : "WordLevel";
    }
}
