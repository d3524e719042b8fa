package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.pipelines.model.RequestException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A piece of a prompt and how much attention it gets; 1 is normal.
 *
 * @param text the text for the tokenizer, without the brackets
 * @param weight a finite factor for the text encoder's output
 */
public record WeightedText(String text, float weight) {
    /**
     * Reads the notation that popular user interfaces share:
     *
     * <pre>
     *     (word)        1.1 times the attention; brackets in brackets multiply
     *     (word:1.3)    1.3 times
     *     [word]        1.1 times less
     *     \( \) \[ \] \\   the signs themselves
     * </pre>
     *
     * <p>A bracket that is never closed reaches to the end; one that was never opened is text. A prompt without any of
     * this is one piece of weight 1.
     *
     * @return pieces in order, neighbours of equal weight joined; one empty piece for an empty prompt
     * @throws RequestException if brackets are nested deeper than 32 levels, or a weight is not finite
     */
    public static List<WeightedText> parse(String prompt) {
        return new AttentionParser(prompt).parse();
    }

    /**
     * Reads attention weights in a prompt, as {@link WeightedText#parse} describes. The weight of a bracket is known
     * only at its end, so pieces stay open until then.
     */
    private static final class AttentionParser {
        private static final float BRACKET = 1.1f;
        private static final int DEEPEST = 32;
        /** The end of a round bracket that states its weight. */
        private static final Pattern WEIGHT = Pattern.compile(
            ":\\s*([+-]?(?:\\d{1,9}(?:\\.\\d{0,9})?|\\.\\d{1,9}))\\s*\\)");

        /** A bracket that is open. @param first the first piece inside */
        private record Open(char sign, int first) {
        }

        private final String prompt;
        private final List<WeightedText> pieces = new ArrayList<>();
        private final Deque<Open> open = new ArrayDeque<>();
        private final StringBuilder text = new StringBuilder();

        AttentionParser(String prompt) {
            this.prompt = prompt;
        }

        List<WeightedText> parse() {
            Matcher weight = WEIGHT.matcher(prompt);
            int at = 0;
            while (at < prompt.length()) {
                char c = prompt.charAt(at);
                if (c == '\\' && at + 1 < prompt.length() && "()[]\\".indexOf(prompt.charAt(at + 1)) >= 0) {
                    text.append(prompt.charAt(++at));
                } else if (c == '(' || c == '[') {
                    open(c);
                } else if (c == ':' && isOpen('(') && weight.region(at, prompt.length()).lookingAt()) {
                    close(Float.parseFloat(weight.group(1)));
                    at = weight.end() - 1;
                } else if (c == ')' && isOpen('(')) {
                    close(BRACKET);
                } else if (c == ']' && isOpen('[')) {
                    close(1 / BRACKET);
                } else {
                    text.append(c);
                }
                at++;
            }
            while (!open.isEmpty()) {
                close(open.peek().sign == '(' ? BRACKET : 1 / BRACKET);
            }
            endPiece();
            return joined();
        }

        private boolean isOpen(char sign) {
            return !open.isEmpty() && open.peek().sign == sign;
        }

        private void open(char sign) {
            if (open.size() == DEEPEST) {
                throw new RequestException("the prompt has brackets in brackets more than " + DEEPEST
                    + " deep; write the weight as a number, (word:1.3)");
            }
            endPiece();
            open.push(new Open(sign, pieces.size()));
        }

        private void close(float factor) {
            endPiece();
            for (int i = open.pop().first; i < pieces.size(); i++) {
                WeightedText piece = pieces.get(i);
                float weight = piece.weight() * factor;
                if (!Float.isFinite(weight)) {
                    throw new RequestException("the prompt gives \"" + piece.text()
                        + "\" more weight than can be counted");
                }
                pieces.set(i, new WeightedText(piece.text(), weight));
            }
        }

        private void endPiece() {
            if (!text.isEmpty()) {
                pieces.add(new WeightedText(text.toString(), 1));
                text.setLength(0);
            }
        }

        private List<WeightedText> joined() {
            List<WeightedText> joined = new ArrayList<>();
            for (WeightedText piece : pieces) {
                if (!joined.isEmpty() && joined.getLast().weight() == piece.weight()) {
                    joined.add(new WeightedText(joined.removeLast().text() + piece.text(), piece.weight()));
                } else {
                    joined.add(piece);
                }
            }
            return joined.isEmpty() ? List.of(new WeightedText("", 1)) : List.copyOf(joined);
        }
    }
}
