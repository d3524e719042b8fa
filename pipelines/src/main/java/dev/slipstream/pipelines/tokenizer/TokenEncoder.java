package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Turns text into the ids of tokens as a tokenizer.json says, without what stands around a prompt (its
 * {@code post_processor}), padding and truncation. Immutable, for any thread.
 *
 * <p>The ids are those of huggingface/tokenizers, for the kinds of steps and models that are supported; other kinds are
 * refused. A text of n characters takes time in the order of {@code n log n}, whatever the file says.
 */
public final class TokenEncoder {
    private final Path source;
    private final AddedTokens verbatim;
    private final AddedTokens normalized;
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
        this.verbatim = new AddedTokens(plain, plain.stream().map(AddedToken::content).toList());
        List<AddedToken> changed = added.stream().filter(AddedToken::normalized).toList();
        this.normalized = new AddedTokens(changed, changed.stream()
            .map(token -> normalizer.normalize(AlignedText.of(token.content())).text()).toList());
    }

    /**
     * Reads all but the added tokens.
     *
     * @throws ModelException if the file is damaged, or has a step or model of a kind that is not supported
     */
    public static TokenEncoder read(ConfigFile file) {
        return new TokenEncoder(file.path(), List.of(), Normalizers.read(file), PreTokenizers.read(file),
            TokenModel.read(file));
    }

    /** This one with added tokens in the place of those that it has; of two with equal texts the first counts. */
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

    /**
     * The tokens of a text, as they are. Half a surrogate pair is no character and should not be in it.
     *
     * @throws ModelException if the tokenizer has no token for a part of it, not even one for unknown parts, or if its
     *     steps make far more of the text than it was
     */
    public Encoding encode(String text) {
        Encoding.Builder tokens = new Encoding.Builder();
        AlignedText whole = AlignedText.of(text);
        try {
            for (AddedTokens.Part part : verbatim.parts(text)) {
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
        for (AddedTokens.Part part : normalized.parts(text.text())) {
            if (part.token() == null) {
                preTokenizer.split(text.slice(part.from(), part.to())).forEach(word -> model.encode(word, tokens));
            } else {
                tokens.add(part.token().id(), text.origin(part.from()));
            }
        }
    }
}
