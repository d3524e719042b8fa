package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile.TokenizerFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The special tokens by tokenizer_config.json and the older special_tokens_map.json; the first file has priority. */
public record TokenNames(List<ConfigFile> files) {
    private static final List<String> KEYS = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
        "cls_token", "mask_token");
    private static final List<String> LISTS = List.of("additional_special_tokens", "extra_special_tokens");

    /** @throws ModelException if a file is damaged */
    public static TokenNames read(Path folder) {
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

    /** The text of the special token with a key such as {@code pad_token}. */
    public Optional<String> name(String key) {
        return named(key).map(Special::text);
    }

    private Optional<Special> named(String key) {
        return files.stream().map(file -> file.element(key).flatMap(value -> Special.of(file, key, value)))
            .flatMap(Optional::stream).findFirst();
    }

    /** All special tokens that the files name. */
    List<Special> special() {
        return Stream.concat(KEYS.stream().map(this::named), LISTS.stream().flatMap(this::listed))
            .flatMap(Optional::stream).toList();
    }

    private Stream<Optional<Special>> listed(String key) {
        // Newer files may have an object there, with tokens of other names than the keys above.
        return files.stream().filter(file -> file.element(key).filter(JsonElement::isJsonArray).isPresent())
            .flatMap(file -> file.list(key).stream().map(value -> Special.of(file, key, value)));
    }

    /**
     * The added tokens of a folder.
     *
     * @param json the tokenizer.json
     * @param vocabulary ids of the tokens that are not added
     * @throws dev.slipstream.pipelines.model.ModelException if a file is damaged, or a token has two ids
     */
    public List<AddedToken> added(Path folder, ConfigFile json, Map<String, Integer> vocabulary) {
        return AddedTokenFiles.read(folder, json, this, vocabulary);
    }

    /**
     * {@code model_max_length}; transformers writes 1e30 for "none", so a length above {@code most} counts as missing.
     */
    public Optional<Integer> length(int most) {
        return files.stream().filter(file -> file.number("model_max_length", Double.MAX_VALUE) <= most)
            .map(file -> file.positiveInteger("model_max_length")).findFirst();
    }

    /** Padding and truncation are done at the end. @throws dev.slipstream.pipelines.model.ModelException if not so */
    public void checkSides() {
        for (ConfigFile file : files) {
            for (String key : List.of("padding_side", "truncation_side")) {
                if (!file.text(key).orElse("right").equals("right")) {
                    throw file.wrong(key, "is not \"right\", which is all that is supported");
                }
            }
        }
    }

    /**
     * The added tokens of a folder, from all files that list some, in the order of transformers 5: {@code added_tokens}
     * of tokenizer.json; {@code added_tokens_decoder} of tokenizer_config.json, or else {@code added_tokens.json},
     * which textual inversion writes; and the special tokens that have a name.
     */
    private static final class AddedTokenFiles {
        private static final Logger LOG = LoggerFactory.getLogger(TokenNames.class);

        private final TokenNames names;
        private final Map<String, Integer> vocabulary;
        private final Map<String, AddedToken> tokens = new LinkedHashMap<>();

        private AddedTokenFiles(TokenNames names, Map<String, Integer> vocabulary) {
            this.names = names;
            this.vocabulary = vocabulary;
        }

        /**
         * @param json the tokenizer.json
         * @param vocabulary ids of the tokens that are not added
         * @throws ModelException if a file is damaged, or a token has two ids
         */
        static List<AddedToken> read(Path folder, ConfigFile json, TokenNames names, Map<String, Integer> vocabulary) {
            AddedTokenFiles files = new AddedTokenFiles(names, vocabulary);
            for (ConfigFile token : json.objects("added_tokens")) {
                files.add(json, AddedToken.read(token, token.element("id").map(id -> token.index("id", id))
                    .orElseThrow(() -> token.wrong("id", "is missing")), false));
            }
            boolean listed = files.addDecoder();
            if (InputFile.isThere(TokenizerFile.ADDED_TOKENS.in(folder))) {
                ConfigFile ids = ConfigFile.read(TokenizerFile.ADDED_TOKENS.in(folder));
                if (listed) {
                    files.warnOfUnread(ids);
                } else {
                    files.addIds(ids);
                }
            }
            files.addNamed();
            return List.copyOf(files.tokens.values());
        }

        private void add(ConfigFile source, AddedToken token) {
            String text = token.content();
            Integer other = tokens.containsKey(text) ? Integer.valueOf(tokens.get(text).id()) : vocabulary.get(text);
            if (other != null && other != token.id()) {
                throw new ModelException(source.path() + " gives the token " + text + " the id " + token.id()
                    + ", but it is " + other + " already");
            }
            tokens.put(text, token);
        }

        /** Whether tokenizer_config.json has such a list. */
        private boolean addDecoder() {
            for (ConfigFile file : names.files()) {
                ConfigFile decoder = file.object("added_tokens_decoder").orElse(null);
                if (decoder != null) {
                    for (String id : decoder.root().keySet()) {
                        if (!id.matches("\\d{1,9}")) {
                            throw file.wrong("added_tokens_decoder", "must have ids, not \"" + id + '"');
                        }
                        ConfigFile token = decoder.object(id).orElseThrow(() -> decoder.wrong(id, "is empty"));
                        add(file, AddedToken.read(token, Integer.parseInt(id), false));
                    }
                    return true;
                }
            }
            return false;
        }

        /** Only the newer list counts, so a token that was written into the older one alone is left out. */
        private void warnOfUnread(ConfigFile file) {
            List<String> unread = file.root().keySet().stream()
                .filter(text -> !tokens.containsKey(text) && !vocabulary.containsKey(text)).toList();
            if (!unread.isEmpty()) {
                LOG.warn("{}: {} is not read, as \"added_tokens_decoder\" of tokenizer_config.json lists the added "
                    + "tokens; add it there", file.path(), unread.stream().limit(3)
                    .map(text -> text.replaceAll("\\p{C}", "?")).collect(Collectors.joining(", "))
                    + (unread.size() > 3 ? " and more" : ""));
            }
        }

        private void addIds(ConfigFile file) {
            Set<String> special = names.special().stream().map(TokenNames.Special::text).collect(Collectors.toSet());
            for (Map.Entry<String, JsonElement> token : file.root().entrySet()) {
                add(file, AddedToken.of(token.getKey(), file.index(token.getKey(), token.getValue()),
                    special.contains(token.getKey())));
            }
        }

        /**
         * Special tokens are found in prompts, too: also "!", where a model pads with that, as SDXL's second tokenizer
         * does.
         */
        private void addNamed() {
            for (TokenNames.Special special : names.special()) {
                Integer id = vocabulary.get(special.text());
                if (id != null && !tokens.containsKey(special.text())) {
                    tokens.put(special.text(), special.settings().map(settings -> AddedToken.read(settings, id, true))
                        .orElse(AddedToken.of(special.text(), id, true)));
                }
            }
        }
    }
}
