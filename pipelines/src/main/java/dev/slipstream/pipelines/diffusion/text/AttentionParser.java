package dev.slipstream.pipelines.diffusion.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads attention weights in a prompt, as {@link WeightedText#parse} describes. How much a bracket counts is only known
 * at its end, so pieces are kept open until then.
 */
final class AttentionParser {
    private static final float BRACKET = 1.1f;
    private static final int DEEPEST = 32;
    /** What ends a round bracket that says its weight. */
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
            throw new PromptException("the prompt has brackets in brackets more than " + DEEPEST
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
                throw new PromptException("the prompt gives \"" + piece.text() + "\" more weight than can be counted");
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
