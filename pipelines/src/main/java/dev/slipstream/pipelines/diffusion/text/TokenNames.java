package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.pipelines.model.ConfigFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What tokenizer_config.json and the older special_tokens_map.json say; the first goes before the second. */
record TokenNames(List<ConfigFile> files) {
    static TokenNames read(Path folder) {
        return new TokenNames(Stream.of("tokenizer_config.json", "special_tokens_map.json").map(folder::resolve)
            .filter(Files::exists).map(ConfigFile::read).toList());
    }

    /** The text of a special token, such as {@code pad_token}: written as a text, or as an object with "content". */
    Optional<String> name(String key) {
        return files.stream().map(file -> name(file, key)).flatMap(Optional::stream).findFirst();
    }

    private static Optional<String> name(ConfigFile file, String key) {
        return file.element(key)
            .map(value -> value.isJsonObject() ? value.getAsJsonObject().get("content") : value)
            .map(value -> file.text(key, value));
    }

    /** {@code model_max_length}; transformers writes 1e30 for "none", so what is absurd counts as not said. */
    Optional<Integer> length(int most) {
        return files.stream().filter(file -> file.number("model_max_length", Double.MAX_VALUE) <= most)
            .map(file -> file.positiveInteger("model_max_length")).findFirst();
    }

    /** Padding and truncation are done at the end. @throws dev.slipstream.pipelines.model.ModelException if not so */
    void checkSides() {
        for (ConfigFile file : files) {
            for (String key : List.of("padding_side", "truncation_side")) {
                if (!file.text(key).orElse("right").equals("right")) {
                    throw file.wrong(key, "is not \"right\", which is all that is supported");
                }
            }
        }
    }
}
