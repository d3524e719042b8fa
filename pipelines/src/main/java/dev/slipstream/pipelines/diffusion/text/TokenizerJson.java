package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ConfigFile;
import java.util.Optional;

/**
 * What a tokenizer.json (the format of huggingface/tokenizers) says besides how text becomes tokens. Its methods throw
 * {@link dev.slipstream.pipelines.model.ModelException} for what is damaged.
 */
record TokenizerJson(ConfigFile file) {
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
}
