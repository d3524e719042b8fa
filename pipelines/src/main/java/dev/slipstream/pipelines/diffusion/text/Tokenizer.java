package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.TokenizerFile;
import dev.slipstream.pipelines.tokenizer.AddedToken;
import dev.slipstream.pipelines.tokenizer.Encoding;
import dev.slipstream.pipelines.tokenizer.TokenEncoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/**
 * Turns prompts into the ids that a text encoder reads, always as many as the model wants at once.
 *
 * <p>Reads a tokenizer folder of a model: {@code tokenizer.json}, or CLIP's {@code vocab.json} and {@code merges.txt};
 * beside them {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json}. It is all
 * done in Java: {@link TokenEncoder} says what of a tokenizer.json is supported. A damaged or hostile file is refused,
 * and whatever a file says, no prompt keeps its thread for long.
 *
 * <p>Any thread may use it; calls do not wait for one another. It holds nothing but memory; the owner closes it when no
 * more prompts are to be read.
 */
public final class Tokenizer implements AutoCloseable {
    /** CLIP's. */
    private static final int USUAL_LENGTH = 77;
    /** No text encoder of a diffusion model reads more; where more is said, nothing was meant. */
    private static final int MOST_TOKENS = 4096;
    /** Far more than fits any text encoder; without a limit, a request could keep a processor busy for seconds. */
    private static final int LONGEST_PROMPT = 1 << 16;

    private final Path source;
    private final TokenEncoder encoder;
    private final PromptFrame frame;
    private volatile boolean closed;

    private Tokenizer(Path source, TokenEncoder encoder, PromptFrame frame) {
        this.source = source;
        this.encoder = encoder;
        this.frame = frame;
    }

    /** As {@link #open(Path, OptionalInt)}, for a text encoder of which nothing is known. */
    public static Tokenizer open(Path folder) {
        return open(folder, OptionalInt.empty());
    }

    /**
     * Reads a tokenizer.
     *
     * @param positions how many ids the text encoder takes at most ({@code max_position_embeddings}), if it says so;
     *     the length is that where the tokenizer's files say none, or more
     * @throws ModelException if a file is missing or damaged, or asks for something that is not supported
     */
    public static Tokenizer open(Path folder, OptionalInt positions) {
        TokenNames names = TokenNames.read(folder);
        names.checkSides();
        TokenizerJson json = new TokenizerJson(read(folder, names));
        TokenEncoder encoder = TokenEncoder.read(json.file());
        List<AddedToken> added = AddedTokenFiles.read(folder, json.file(), names, encoder.vocabulary());
        SpecialTokens special = json.specialTokens();
        int length = length(names, json, positions);
        if (length <= special.count()) {
            throw new ModelException("the tokenizer " + folder + " cuts prompts to " + length + " tokens, but needs "
                + special.count() + " for start and end");
        }
        int padId = names.name("pad_token").map(token -> id(folder, token, added, encoder))
            .or(json::padId).or(() -> special.after().stream().reduce((id, next) -> next))
            .orElseThrow(() -> new ModelException("the tokenizer " + folder
                + " does not say what it pads with; set \"pad_token\" in its tokenizer_config.json"));
        return new Tokenizer(json.file().path(), encoder.withAdded(added), new PromptFrame(special, length, padId));
    }

    private static int length(TokenNames names, TokenizerJson json, OptionalInt positions) {
        int most = Math.min(positions.orElse(MOST_TOKENS), MOST_TOKENS);
        return names.length(most).or(() -> json.length().filter(length -> length <= most))
            .orElse(positions.isPresent() ? most : USUAL_LENGTH);
    }

    private static ConfigFile read(Path folder, TokenNames names) {
        if (InputFile.isThere(TokenizerFile.TOKENIZER.in(folder))) {
            return ConfigFile.read(TokenizerFile.TOKENIZER.in(folder));
        }
        if (InputFile.isThere(TokenizerFile.VOCABULARY.in(folder))
            && InputFile.isThere(TokenizerFile.MERGES.in(folder))) {
            return ClipVocabulary.read(folder, names);
        }
        throw new ModelException("there is no tokenizer in " + folder
            + ": it needs tokenizer.json, or vocab.json and merges.txt");
    }

    private static int id(Path folder, String token, List<AddedToken> added, TokenEncoder encoder) {
        return added.stream().filter(one -> one.content().equals(token)).map(AddedToken::id).findFirst()
            .or(() -> Optional.ofNullable(encoder.vocabulary().get(token)))
            .orElseThrow(() -> new ModelException("the tokenizer " + folder + " pads with " + token
                + ", which is not in its vocabulary"));
    }

    /** Ids in every prompt's tokens. */
    public int length() {
        return frame.length();
    }

    /**
     * The tokens of a prompt that has no weights.
     *
     * @throws ModelException if the tokenizer has no token for a part of the prompt, not even one for the unknown, or
     *     makes far more of it than it was
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
     * @throws ModelException as {@link #encode(String)}
     * @throws IllegalArgumentException if the pieces have more than 65536 characters
     * @throws IllegalStateException if this tokenizer is closed
     */
    public Tokens encode(List<WeightedText> prompt) {
        if (closed) {
            throw new IllegalStateException("the tokenizer " + source + " is closed");
        }
        checkLength(prompt.stream().mapToLong(piece -> piece.text().length()).sum());
        int room = frame.room();
        List<long[]> encoded = new ArrayList<>();
        StringBuilder lost = new StringBuilder();
        int count = 0;
        for (WeightedText piece : prompt) {
            String text = withoutHalfPairs(piece.text());
            int fits = Math.max(0, room - count);
            Encoding encoding = encoder.encode(text);
            if (fits == 0) {
                lost.append(text);
            } else if (encoding.ids().length > fits) {
                lost.append(text.substring(encoding.starts()[fits]));
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

    /** Half a surrogate pair is no character. */
    private static String withoutHalfPairs(String prompt) {
        return prompt.codePoints().map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    @Override
    public void close() {
        closed = true;
    }
}
