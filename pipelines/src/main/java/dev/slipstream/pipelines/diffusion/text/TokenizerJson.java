package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.model.ConfigFile;
import java.util.List;
import java.util.Optional;

/**
 * A tokenizer.json (the format of huggingface/tokenizers), taken apart: what the library is given, and what is done
 * here instead. Its methods throw {@link dev.slipstream.pipelines.model.ModelException} for what is damaged.
 */
record TokenizerJson(ConfigFile file) {
    private static final List<String> DONE_HERE = List.of("post_processor", "padding", "truncation", "decoder");

    /** The file without the parts that the library is not given; refused if it would abort the process there. */
    String forLibrary() {
        ConfigFile model = model();
        // Old files do not name the type; only BPE has merges.
        if (model.has("merges") && !model.text("continuing_subword_prefix").orElse("").isEmpty()) {
            // The library cuts that many bytes off the second half of every merge, however short it is.
            throw file.wrong("model", "has a continuing_subword_prefix, which is not supported for BPE");
        }
        JsonObject rest = new JsonObject();
        file.root().entrySet().stream().filter(entry -> !DONE_HERE.contains(entry.getKey()))
            .forEach(entry -> rest.add(entry.getKey(), entry.getValue()));
        return rest.toString();
    }

    private ConfigFile model() {
        return file.object("model").orElseThrow(() -> file.wrong("model", "is missing"));
    }

    SpecialTokens specialTokens() {
        return SpecialTokens.of(file);
    }

    /** How long prompts are made, if the file says so. */
    Optional<Integer> length() {
        return file.object("truncation").flatMap(truncation -> positive(truncation, "max_length"))
            .or(() -> file.object("padding").flatMap(padding -> padding.element("strategy"))
                .filter(JsonElement::isJsonObject)
                .flatMap(strategy -> positive(new ConfigFile(file.path(), strategy.getAsJsonObject()), "Fixed")));
    }

    private static Optional<Integer> positive(ConfigFile settings, String key) {
        return settings.element(key).map(value -> settings.positiveInteger(key, value));
    }

    Optional<Integer> padId() {
        return file.object("padding").flatMap(padding -> padding.element("pad_id")
            .map(value -> padding.index("pad_id", value)));
    }

    /** The id of a token, by its text. */
    Optional<Integer> id(String token) {
        return file.objects("added_tokens").stream()
            .filter(added -> added.text("content").filter(token::equals).isPresent()).findFirst()
            .flatMap(added -> added.element("id").map(id -> added.index("id", id)))
            .or(() -> vocabularyId(token));
    }

    /** A Unigram model has a list of pairs; its special tokens are among the added ones. */
    private Optional<Integer> vocabularyId(String token) {
        return model().element("vocab").filter(JsonElement::isJsonObject)
            .map(vocabulary -> vocabulary.getAsJsonObject().get(token))
            .map(id -> file.index("vocab", id));
    }
}
