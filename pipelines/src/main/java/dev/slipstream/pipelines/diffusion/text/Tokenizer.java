package dev.slipstream.pipelines.diffusion.text;

import com.google.gson.JsonElement;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile.TokenizerFile;
import dev.slipstream.pipelines.tokenizer.AddedToken;
import dev.slipstream.pipelines.tokenizer.ClipVocabulary;
import dev.slipstream.pipelines.tokenizer.Encoding;
import dev.slipstream.pipelines.tokenizer.SentencePieces;
import dev.slipstream.pipelines.tokenizer.TokenEncoder;
import dev.slipstream.pipelines.tokenizer.TokenNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/**
 * Turns prompts into the ids that a text encoder reads, always as many as the model takes at once.
 *
 * <p>Reads a tokenizer folder of a model: {@code tokenizer.json}, or CLIP's {@code vocab.json} and {@code merges.txt},
 * or T5's {@code spiece.model}; beside them {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code
 * added_tokens.json}. It is all done in Java: {@link TokenEncoder} says what of a tokenizer.json is supported. A
 * damaged or hostile file is refused, and no file can make a prompt occupy its thread for long.
 *
 * <p>Any thread may use it; calls do not wait for one another. It holds nothing but memory; the owner closes it when no
 * more prompts are to be read.
 */
public final class Tokenizer implements AutoCloseable {
    /** CLIP's. */
    private static final int USUAL_LENGTH = 77;
    /** No text encoder of a diffusion model reads more; a larger number in a file means that there is no limit. */
    private static final int MOST_TOKENS = 4096;
    /** Far more than fits any text encoder; without a limit, a request could keep a processor busy for seconds. */
    private static final int LONGEST_PROMPT = 1 << 16;

    private final Path source;
    private final TokenEncoder encoder;
    private final PromptChunk.Frame frame;
    private final List<AddedToken> added;
    /** How many ids follow one another for a word, by the first of them. */
    private final Map<Long, Integer> runs;
    private volatile boolean closed;

    private Tokenizer(Path source, TokenEncoder encoder, PromptChunk.Frame frame, List<AddedToken> added,
        Map<Long, Integer> runs) {
        this.source = source;
        this.encoder = encoder;
        this.frame = frame;
        this.added = List.copyOf(added);
        this.runs = Map.copyOf(runs);
    }

    /** As {@link #open(Path, OptionalInt)}, for a text encoder of which nothing is known. */
    public static Tokenizer open(Path folder) {
        return open(folder, OptionalInt.empty());
    }

    /**
     * Reads a tokenizer.
     *
     * @param positions how many ids the text encoder takes at most ({@code max_position_embeddings}), if known; used as
     *     the length if the tokenizer's files have none, or a larger one
     * @throws ModelException if a file is missing or damaged, or asks for something that is not supported
     */
    public static Tokenizer open(Path folder, OptionalInt positions) {
        TokenNames names = TokenNames.read(folder);
        names.checkSides();
        ConfigFile json = read(folder, names);
        TokenEncoder encoder = TokenEncoder.read(json);
        List<AddedToken> added = names.added(folder, json, encoder.vocabulary());
        SpecialTokens special = SpecialTokens.of(json);
        int length = length(names, json, positions);
        if (length <= special.count()) {
            throw new ModelException("the tokenizer " + folder + " cuts prompts to " + length + " tokens, but needs "
                + special.count() + " for start and end");
        }
        int padId = names.name("pad_token").map(token -> id(folder, token, added, encoder))
            .or(() -> padId(json)).or(() -> special.after().stream().reduce((id, next) -> next))
            .orElseThrow(() -> new ModelException("the tokenizer " + folder
                + " does not say what it pads with; set \"pad_token\" in its tokenizer_config.json"));
        return new Tokenizer(json.path(), encoder.withAdded(added), new PromptChunk.Frame(special, length, padId),
            added, Map.of());
    }

    /** The same tokenizer for texts of another length, in tokens, which is more than start and end take. */
    public Tokenizer withLength(int length) {
        return new Tokenizer(source, encoder, new PromptChunk.Frame(frame.special(), length, frame.padId()), added,
            runs);
    }

    /**
     * A tokenizer that knows words beside its vocabulary, each of which becomes ids that follow one another. A word is
     * found in any letter case; one that begins or ends with a letter or digit not inside of another word.
     *
     * @param words how many ids each has
     * @param first id of the first word; those of the others follow in order
     */
    public Tokenizer withWords(Map<String, Integer> words, int first) {
        List<AddedToken> more = new ArrayList<>();
        Map<Long, Integer> counts = new HashMap<>();
        int id = first;
        for (Map.Entry<String, Integer> word : words.entrySet()) {
            String text = word.getKey();
            boolean single = Character.isLetterOrDigit(text.codePointAt(0))
                || Character.isLetterOrDigit(text.codePointBefore(text.length()));
            more.add(new AddedToken(text, id, single, false, false, true));
            counts.put((long) id, word.getValue());
            id += word.getValue();
        }
        more.addAll(added);
        return new Tokenizer(source, encoder.withAdded(more), frame, more, counts);
    }

    private static int length(TokenNames names, ConfigFile json, OptionalInt positions) {
        int most = Math.min(positions.orElse(MOST_TOKENS), MOST_TOKENS);
        return names.length(most).or(() -> length(json).filter(length -> length <= most))
            .orElse(positions.isPresent() ? most : USUAL_LENGTH);
    }

    /** The length of prompts, if the tokenizer.json has one. */
    private static Optional<Integer> length(ConfigFile file) {
        return file.object("truncation").flatMap(truncation -> positive(truncation, "max_length"))
            .or(() -> file.object("padding").flatMap(padding -> padding.element("strategy"))
                .filter(JsonElement::isJsonObject)
                .flatMap(strategy -> positive(new ConfigFile(file.path(), strategy.getAsJsonObject()), "Fixed")));
    }

    private static Optional<Integer> positive(ConfigFile settings, String key) {
        return settings.element(key).map(value -> settings.positiveInteger(key, value));
    }

    private static Optional<Integer> padId(ConfigFile file) {
        return file.object("padding").flatMap(padding -> padding.element("pad_id")
            .map(value -> padding.index("pad_id", value)));
    }

    private static ConfigFile read(Path folder, TokenNames names) {
        if (InputFile.isThere(TokenizerFile.TOKENIZER.in(folder))) {
            return ConfigFile.read(TokenizerFile.TOKENIZER.in(folder));
        }
        if (InputFile.isThere(TokenizerFile.VOCABULARY.in(folder))
            && InputFile.isThere(TokenizerFile.MERGES.in(folder))) {
            return ClipVocabulary.read(folder, names);
        }
        if (InputFile.isThere(TokenizerFile.PIECES.in(folder))) {
            return SentencePieces.read(folder, names);
        }
        throw new ModelException("there is no tokenizer in " + folder
            + ": it needs tokenizer.json, or vocab.json and merges.txt, or spiece.model");
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
     * @throws ModelException if the tokenizer has no token for a part of the prompt, not even one for unknown text, or
     *     its steps make the prompt far longer
     * @throws IllegalArgumentException if the prompt has more than 65536 characters
     * @throws IllegalStateException if this tokenizer is closed
     */
    public Tokens encode(String prompt) {
        return encode(List.of(new WeightedText(prompt, 1)));
    }

    /**
     * The tokens of a prompt, which may be more than fit at once; the result says what does not fit.
     *
     * @param prompt pieces as {@link WeightedText#parse} makes them; each is split into tokens separately
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
        boolean known = true;
        for (WeightedText piece : prompt) {
            String text = withoutHalfPairs(piece.text());
            int fits = Math.max(0, room - count);
            Encoding encoding = encoder.encode(text).withRuns(runs);
            if (fits == 0) {
                lost.append(text);
            } else if (encoding.ids().length > fits) {
                lost.append(text.substring(encoding.starts()[fits]));
            }
            known &= !encoding.has(encoder.unknownToken());
            encoded.add(encoding.ids());
            count += encoding.ids().length;
        }
        return new Tokens(frame.chunks(joined(encoded), weights(encoded, prompt)), frame.length() - room + count,
            count > room ? lost.toString().strip() : "", known);
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

    /** @throws RequestException if a prompt has too many characters to be read at all */
    static void checkLength(long characters) {
        if (characters > LONGEST_PROMPT) {
            throw new RequestException("a prompt of " + characters + " characters is too long; at most "
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
