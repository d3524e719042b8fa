package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Turns text into the ids of tokens as a tokenizer.json says, without the tokens around a prompt (its {@code
 * post_processor}), padding and truncation. Immutable, for any thread.
 *
 * <p>The ids are those of huggingface/tokenizers, for the kinds of steps and models that are supported; other kinds are
 * refused. A text of n characters takes time in the order of {@code n log n}, whatever the file says.
 */
public final class TokenEncoder {
    private final Path source;
    private final AddedToken.Search verbatim;
    private final AddedToken.Search normalized;
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final TokenModel model;

    private TokenEncoder(Path source, List<AddedToken> added, Normalizer normalizer, PreTokenizer preTokenizer,
        TokenModel model) {
        this.source = source;
        this.normalizer = normalizer;
        this.preTokenizer = preTokenizer;
        this.model = model;
        List<AddedToken> plain = added.stream().filter(token -> !token.normalized()).toList();
        this.verbatim = new AddedToken.Search(plain, plain.stream().map(AddedToken::content).toList());
        List<AddedToken> changed = added.stream().filter(AddedToken::normalized).toList();
        this.normalized = new AddedToken.Search(changed, changed.stream()
            .map(token -> normalizer.normalize(AlignedText.of(token.content())).text()).toList());
    }

    /**
     * Reads all but the added tokens.
     *
     * @throws ModelException if the file is damaged, or has a step or model of a kind that is not supported
     */
    public static TokenEncoder read(ConfigFile file) {
        return new TokenEncoder(file.path(), List.of(), Normalizer.read(file), PreTokenizer.read(file),
            model(file));
    }

    private static TokenModel model(ConfigFile file) {
        ConfigFile model = file.object("model").orElseThrow(() -> file.wrong("model", "is missing"));
        String type = model.text("type").orElseGet(() -> guess(model));
        return switch (type) {
            case "BPE" -> BytePairs.read(model);
            case "WordLevel" -> new TokenModel.WholeWords(Vocabulary.read(model, "<unk>"));
            case "WordPiece" -> TokenModel.WordPieces.read(model);
            case "Unigram" -> TokenModel.Unigram.read(model);
            default -> throw model.wrong("model", "is of a kind that is not supported, \"" + type + "\"");
        };
    }

    /** Old files do not name the type. */
    private static String guess(ConfigFile model) {
        if (model.has("merges")) {
            return "BPE";
        }
        if (model.has("max_input_chars_per_word")) {
            return "WordPiece";
        }
        return model.element("vocab").filter(JsonElement::isJsonArray).isPresent() ? "Unigram" : "WordLevel";
    }

    /** This one with other added tokens; of two with equal texts the first counts. */
    public TokenEncoder withAdded(List<AddedToken> added) {
        try {
            return new TokenEncoder(source, added, normalizer, preTokenizer, model);
        } catch (IllegalArgumentException | AlignedText.TooLongException e) {
            throw new ModelException(source + ": an added token is too long", e);
        }
    }

    /** Ids by token, without the added tokens. */
    public Map<String, Integer> vocabulary() {
        return Collections.unmodifiableMap(model.vocabulary());
    }

    /** The token that stands for whatever is not in the vocabulary; empty if there is none. */
    public OptionalInt unknownToken() {
        return model.unknownToken();
    }

    /**
     * The tokens of a text, without any around it. Half a surrogate pair is no character and should not be in it.
     *
     * @throws ModelException if the tokenizer has no token for a part of it, not even one for unknown parts, or if its
     *     steps make the text far longer than it was
     */
    public Encoding encode(String text) {
        Encoding.Builder tokens = new Encoding.Builder();
        AlignedText whole = AlignedText.of(text);
        try {
            for (AddedToken.Search.Part part : verbatim.parts(text)) {
                if (part.token() == null) {
                    encode(normalizer.normalize(whole.slice(part.from(), part.to())), tokens);
                } else {
                    tokens.add(part.token().id(), part.from());
                }
            }
        } catch (AlignedText.TooLongException e) {
            throw new ModelException(source + " makes more than " + AlignedText.LONGEST + " characters of a prompt of "
                + text.length() + "; shorten the prompt", e);
        }
        return tokens.build();
    }

    private void encode(AlignedText text, Encoding.Builder tokens) {
        for (AddedToken.Search.Part part : normalized.parts(text.text())) {
            if (part.token() == null) {
                preTokenizer.split(text.slice(part.from(), part.to())).forEach(word -> model.encode(word, tokens));
            } else {
                tokens.add(part.token().id(), text.origin(part.from()));
            }
        }
    }
}
