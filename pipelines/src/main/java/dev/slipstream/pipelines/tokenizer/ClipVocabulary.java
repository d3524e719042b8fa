package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile.TokenizerFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * CLIP's tokenizer from its two old files, vocab.json and merges.txt, as an equivalent tokenizer.json.
 *
 * <p>Source: the tokenizer of openai/CLIP, and transformers' conversion of it: byte-level BPE whose last piece of a
 * word ends in {@code </w>}, over lower-case text with single spaces, split into contractions, letters, single digits,
 * and other signs.
 */
public final class ClipVocabulary {
    private static final String PIPELINE = """
        {
          "version": "1.0",
          "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": "\\\\s+"}, "content": " "},
            {"type": "Lowercase"}]},
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "behavior": "Removed", "invert": true, "pattern": {"Regex":
              "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"}},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}]},
          "model": {"type": "BPE", "end_of_word_suffix": "</w>", "continuing_subword_prefix": "", "fuse_unk": false}
        }
        """;
    /** The largest vocabularies have a tenth of it. */
    private static final int MOST_BYTES = 64 << 20;

    private ClipVocabulary() {
    }

    /**
     * Reads the two files of a folder.
     *
     * @param names of the same folder
     * @throws ModelException if a file is missing or damaged, or has no start or end token
     */
    public static ConfigFile read(Path folder, TokenNames names) {
        ConfigFile vocabulary = ConfigFile.read(TokenizerFile.VOCABULARY.in(folder));
        String start = names.name("bos_token").orElse("<|startoftext|>");
        String end = names.name("eos_token").orElse("<|endoftext|>");
        JsonObject root = JsonParser.parseString(PIPELINE).getAsJsonObject();
        JsonObject model = root.getAsJsonObject("model");
        model.add("vocab", vocabulary.root());
        model.add("merges", merges(TokenizerFile.MERGES.in(folder)));
        model.addProperty("unk_token", names.name("unk_token").orElse(end));
        root.add("post_processor", around(start, id(vocabulary, start), end, id(vocabulary, end)));
        // Tokens that the configuration names are read from there, with their settings.
        JsonArray added = new JsonArray();
        if (names.name("bos_token").isEmpty()) {
            added.add(added(start, id(vocabulary, start)));
        }
        if (names.name("eos_token").isEmpty()) {
            added.add(added(end, id(vocabulary, end)));
        }
        root.add("added_tokens", added);
        return new ConfigFile(vocabulary.path(), root);
    }

    private static JsonElement id(ConfigFile vocabulary, String token) {
        return vocabulary.element(token)
            .orElseThrow(() -> new ModelException(vocabulary.path() + " has no token " + token));
    }

    private static JsonObject added(String token, JsonElement id) {
        JsonObject added = new JsonObject();
        added.add("id", id);
        added.addProperty("content", token);
        added.addProperty("special", true);
        return added;
    }

    private static JsonObject around(String start, JsonElement startId, String end, JsonElement endId) {
        JsonObject processor = new JsonObject();
        processor.addProperty("type", "RobertaProcessing");
        processor.add("cls", pair(start, startId));
        processor.add("sep", pair(end, endId));
        return processor;
    }

    private static JsonArray pair(String token, JsonElement id) {
        JsonArray pair = new JsonArray();
        pair.add(token);
        pair.add(id);
        return pair;
    }

    private static JsonArray merges(Path file) {
        JsonArray merges = new JsonArray();
        int number = 0;
        for (String line : text(file).split("\r?\n|\r")) {
            number++;
            // Only the first line can be the header: "#" may be merged, too.
            if (line.isBlank() || number == 1 && line.startsWith("#version")) {
                continue;
            }
            int blank = line.indexOf(' ');
            if (blank <= 0 || blank == line.length() - 1 || line.indexOf(' ', blank + 1) >= 0) {
                throw new ModelException(file + ", line " + number + ": must be two pieces with a space between them");
            }
            merges.add(line);
        }
        return merges;
    }

    private static String text(Path file) {
        try {
            return InputFile.text(file, MOST_BYTES);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }
}
