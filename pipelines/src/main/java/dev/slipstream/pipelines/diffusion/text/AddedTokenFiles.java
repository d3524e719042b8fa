package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.TokenizerFile;
import dev.slipstream.pipelines.tokenizer.AddedToken;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The added tokens of a folder, from all files that list some, as transformers 5 puts them together:
 * {@code added_tokens} of tokenizer.json; {@code added_tokens_decoder} of tokenizer_config.json, or else
 * {@code added_tokens.json}, which textual inversion writes; and the special tokens that have a name.
 */
final class AddedTokenFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AddedTokenFiles.class);

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

    /** The newer list counts alone, which may not be what somebody meant who wrote another token into the older one. */
    private void warnOfUnread(ConfigFile file) {
        List<String> unread = file.root().keySet().stream()
            .filter(text -> !tokens.containsKey(text) && !vocabulary.containsKey(text)).toList();
        if (!unread.isEmpty()) {
            LOG.warn("{}: {} is not read, as \"added_tokens_decoder\" of tokenizer_config.json lists the added tokens; "
                + "add it there", file.path(), unread.stream().limit(3).map(text -> text.replaceAll("\\p{C}", "?"))
                .collect(Collectors.joining(", ")) + (unread.size() > 3 ? " and more" : ""));
        }
    }

    private void addIds(ConfigFile file) {
        Set<String> special = names.special().stream().map(TokenNames.Special::text).collect(Collectors.toSet());
        for (Map.Entry<String, JsonElement> token : file.root().entrySet()) {
            add(file, AddedToken.of(token.getKey(), file.index(token.getKey(), token.getValue()),
                special.contains(token.getKey())));
        }
    }

    /** Special tokens are found in prompts, too: where a model pads with "!", as SDXL's second tokenizer does, that. */
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
