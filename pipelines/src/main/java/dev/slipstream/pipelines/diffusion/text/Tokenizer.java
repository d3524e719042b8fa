package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Turns prompts into the ids that a text encoder reads, always as many as the model wants at once.
 *
 * <p>Reads a tokenizer folder of a model: {@code tokenizer.json}, or CLIP's {@code vocab.json} and {@code merges.txt};
 * beside them {@code tokenizer_config.json} and {@code special_tokens_map.json}. The work is done by the native library
 * huggingface/tokenizers; the first use on a machine unpacks it (15 MB) into {@code slipstream/} in the user's cache
 * folder. Nothing is downloaded.
 *
 * <p>The owner closes it. Any thread may use it; calls wait for one another.
 */
public final class Tokenizer implements AutoCloseable {
    /** CLIP's. */
    private static final int USUAL_LENGTH = 77;
    private static final int MOST_TOKENS = 1 << 20;
    /** Far more than fits any text encoder; without a limit, a request could keep the library busy for seconds. */
    private static final int LONGEST_PROMPT = 1 << 16;

    private final NativeTokenizer library;
    private final PromptFrame frame;

    private Tokenizer(NativeTokenizer library, PromptFrame frame) {
        this.library = library;
        this.frame = frame;
    }

    /** @throws ModelException if a file is missing or damaged, or asks for something that is not supported */
    public static Tokenizer open(Path folder) {
        TokenNames names = TokenNames.read(folder);
        names.checkSides();
        TokenizerJson json = new TokenizerJson(read(folder, names));
        String forLibrary = json.forLibrary();
        SpecialTokens special = json.specialTokens();
        int length = names.length(MOST_TOKENS).or(json::length).orElse(USUAL_LENGTH);
        if (length <= special.count()) {
            throw new ModelException("the tokenizer " + folder + " cuts prompts to " + length + " tokens, but needs "
                + special.count() + " for start and end");
        }
        PromptFrame frame = new PromptFrame(special, length, padId(folder, names, json, special));
        return new Tokenizer(new NativeTokenizer(json.file().path(), forLibrary), frame);
    }

    private static ConfigFile read(Path folder, TokenNames names) {
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            return ConfigFile.read(folder.resolve("tokenizer.json"));
        }
        if (Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"))) {
            return ClipVocabulary.read(folder, names);
        }
        throw new ModelException("there is no tokenizer in " + folder
            + ": it needs tokenizer.json, or vocab.json and merges.txt");
    }

    private static int padId(Path folder, TokenNames names, TokenizerJson json, SpecialTokens special) {
        String token = names.name("pad_token").orElse(null);
        if (token != null) {
            return json.id(token).orElseThrow(() -> new ModelException(
                "the tokenizer " + folder + " pads with " + token + ", which is not in its vocabulary"));
        }
        if (json.padId().isPresent()) {
            return json.padId().get();
        }
        if (special.after().isEmpty()) {
            throw new ModelException("the tokenizer " + folder
                + " does not say what it pads with; set \"pad_token\" in its tokenizer_config.json");
        }
        return special.after().getLast();
    }

    /** Ids in every prompt's tokens. */
    public int length() {
        return frame.length();
    }

    /**
     * The tokens of a prompt that has no weights.
     *
     * @throws IllegalArgumentException if the prompt has more than 65536 characters
     * @throws IllegalStateException if this tokenizer is closed
     */
    public Tokens encode(String prompt) {
        return encode(List.of(new WeightedText(prompt, 1)));
    }

    /**
     * The tokens of a prompt, which may have more than fit at once; the result says what of it does not.
     *
     * @param prompt pieces as {@link WeightedText#parse} makes them; each is split into tokens for itself
     * @throws IllegalArgumentException if the pieces have more than 65536 characters
     * @throws IllegalStateException if this tokenizer is closed
     */
    public Tokens encode(List<WeightedText> prompt) {
        checkLength(prompt.stream().mapToLong(piece -> piece.text().length()).sum());
        int room = frame.room();
        List<long[]> encoded = new ArrayList<>();
        StringBuilder lost = new StringBuilder();
        int count = 0;
        for (WeightedText piece : prompt) {
            String text = withoutHalfPairs(piece.text());
            int fits = Math.max(0, room - count);
            NativeTokenizer.Encoding encoding = library.encode(text, fits == 0 ? Integer.MAX_VALUE : fits);
            if (fits == 0) {
                lost.append(text);
            } else if (encoding.ids().length > fits) {
                lost.append(text.substring(text.offsetByCodePoints(0, encoding.starts()[fits])));
            }
            encoded.add(encoding.ids());
            count += encoding.ids().length;
        }
        return new Tokens(frame.chunks(joined(encoded), weights(encoded, prompt)), frame.length() - room + count,
            count > room ? lost.toString().strip() : "");
    }

    private static long[] joined(List<long[]> encoded) {
        return encoded.stream().flatMapToLong(LongStream::of).toArray();
    }

    private static float[] weights(List<long[]> encoded, List<WeightedText> prompt) {
        float[] weights = new float[encoded.stream().mapToInt(ids -> ids.length).sum()];
        int at = 0;
        for (int i = 0; i < encoded.size(); i++) {
            Arrays.fill(weights, at, at + encoded.get(i).length, prompt.get(i).weight());
            at += encoded.get(i).length;
        }
        return weights;
    }

    /**
     * As {@link #encode(String)}, for callers who will not have a prompt cut.
     *
     * @throws PromptException if the prompt has more tokens than the model takes; it says what would be lost
     */
    public Tokens encodeWhole(String prompt) {
        Tokens tokens = encode(prompt);
        if (tokens.cut() > 0) {
            throw new PromptException(tokens.complaint() + "; shorten it");
        }
        return tokens;
    }

    /** @throws IllegalArgumentException if a prompt has so many characters that it should not be read at all */
    static void checkLength(long characters) {
        if (characters > LONGEST_PROMPT) {
            throw new IllegalArgumentException("a prompt of " + characters + " characters is too long; at most "
                + LONGEST_PROMPT + " are read");
        }
    }

    /** Half a surrogate pair is no character, and positions in the text would shift where the library replaces it. */
    private static String withoutHalfPairs(String prompt) {
        return prompt.codePoints().map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    @Override
    public void close() {
        library.close();
    }
}
