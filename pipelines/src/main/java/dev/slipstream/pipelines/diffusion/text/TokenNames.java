package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.TokenizerFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What tokenizer_config.json and the older special_tokens_map.json say; the first goes before the second. */
record TokenNames(List<ConfigFile> files) {
    private static final List<String> KEYS = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
        "cls_token", "mask_token");
    private static final List<String> LISTS = List.of("additional_special_tokens", "extra_special_tokens");

    static TokenNames read(Path folder) {
        return new TokenNames(Stream.of(TokenizerFile.CONFIG, TokenizerFile.SPECIAL_TOKENS)
            .map(file -> file.in(folder)).filter(InputFile::isThere).map(ConfigFile::read).toList());
    }

    /** A special token: its text, or an object whose "content" is that. */
    record Special(String text, Optional<ConfigFile> settings) {
        private static Optional<Special> of(ConfigFile file, String key, JsonElement value) {
            if (!value.isJsonObject()) {
                return Optional.of(new Special(file.text(key, value), Optional.empty()));
            }
            ConfigFile settings = new ConfigFile(file.path(), value.getAsJsonObject());
            return settings.text("content").map(text -> new Special(text, Optional.of(settings)));
        }
    }

    /** The text of a special token, such as {@code pad_token}. */
    Optional<String> name(String key) {
        return named(key).map(Special::text);
    }

    private Optional<Special> named(String key) {
        return files.stream().map(file -> file.element(key).flatMap(value -> Special.of(file, key, value)))
            .flatMap(Optional::stream).findFirst();
    }

    /** All special tokens that are named. */
    List<Special> special() {
        return Stream.concat(KEYS.stream().map(this::named), LISTS.stream().flatMap(this::listed))
            .flatMap(Optional::stream).toList();
    }

    private Stream<Optional<Special>> listed(String key) {
        // Newer files may have an object there, of tokens that the keys above do not know.
        return files.stream().filter(file -> file.element(key).filter(JsonElement::isJsonArray).isPresent())
            .flatMap(file -> file.list(key).stream().map(value -> Special.of(file, key, value)));
    }

    /** {@code model_max_length}; transformers writes 1e30 for "none", so what is more than {@code most} is not said. */
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
