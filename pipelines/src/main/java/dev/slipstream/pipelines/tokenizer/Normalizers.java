package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Reads the {@code normalizer} of a tokenizer.json, and has those of a line or two. */
final class Normalizers {
    private static final Normalizer NONE = text -> text;

    private Normalizers() {
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if it is damaged, or of a kind that is not supported */
    static Normalizer read(ConfigFile file) {
        return file.object("normalizer").map(normalizer -> sequence(steps(normalizer))).orElse(NONE);
    }

    private static List<Normalizer> steps(ConfigFile normalizer) {
        return Steps.flatten(normalizer, "normalizers").stream().map(Normalizers::step).toList();
    }

    private static Normalizer sequence(List<Normalizer> steps) {
        return text -> {
            AlignedText changed = text;
            for (Normalizer step : steps) {
                changed = step.normalize(changed);
            }
            return changed;
        };
    }

    private static Normalizer step(ConfigFile step) {
        String type = step.text("type").orElse("");
        return switch (type) {
            case "NFC", "NFD", "NFKC", "NFKD" -> new UnicodeForm(Form.valueOf(type));
            case "Lowercase" -> Normalizers::lowercase;
            case "StripAccents" -> text -> without(text, Characters::isNonSpacingMark);
            case "Strip" -> strip(step.flag("strip_left", true), step.flag("strip_right", true));
            case "Prepend" -> prepend(step.text("prepend").orElseThrow(() -> step.wrong("prepend", "is missing")));
            case "Replace" -> new Replacement(Patterns.read(step),
                step.text("content").orElseThrow(() -> step.wrong("content", "is missing")));
            case "Precompiled" -> CharacterMap.read(step);
            case "BertNormalizer" -> sequence(bert(step));
            default -> throw step.wrong("normalizer", "has a step of a kind that is not supported, \"" + type + "\"");
        };
    }

    /** Character by character, so a sigma at the end of a word is like any other. */
    private static AlignedText lowercase(AlignedText text) {
        String source = text.text();
        AlignedText.Builder lower = new AlignedText.Builder(text);
        int kept = 0;
        for (int at = 0; at < source.length(); ) {
            int c = source.codePointAt(at);
            int end = at + Character.charCount(c);
            int changed = Character.toLowerCase(c);
            if (changed != c) {
                // The only character whose lower case is two: an i that keeps its dot.
                lower.keep(kept, at).put(c == '\u0130' ? "i\u0307" : Character.toString(changed), at);
                kept = end;
            }
            at = end;
        }
        return kept == 0 ? text : lower.keep(kept, source.length()).build();
    }

    private static AlignedText without(AlignedText text, IntPredicate kind) {
        return new Replacement(TextPattern.run(kind, 1), "").normalize(text);
    }

    private static Normalizer strip(boolean left, boolean right) {
        return text -> {
            int from = left ? TextPattern.skip(text.text(), 0, Characters::isSpace) : 0;
            int to = text.length();
            while (right && to > from && Characters.isSpace(text.text().charAt(to - 1))) {
                to--;
            }
            return text.slice(from, to);
        };
    }

    static Normalizer prepend(String prefix) {
        return text -> text.isEmpty() ? text
            : new AlignedText.Builder(text).put(prefix, 0).keep(0, text.length()).build();
    }

    /** google-research/bert: clean text, blanks around Chinese characters, no accents, lower case. */
    private static List<Normalizer> bert(ConfigFile step) {
        List<Normalizer> steps = new ArrayList<>();
        boolean lower = step.flag("lowercase", true);
        if (step.flag("clean_text", true)) {
            steps.add(text -> without(text, c -> c == 0xFFFD || Characters.isOther(c) && !Characters.isSpace(c)
                || c == 0x0B || c == 0x0C || c == 0x85));
            steps.add(new Replacement(TextPattern.each(Characters::isSpace), " "));
        }
        if (step.flag("handle_chinese_chars", true)) {
            steps.add(Normalizers::spaceChinese);
        }
        if (step.flag("strip_accents", lower)) {
            steps.add(new UnicodeForm(Form.NFD));
            steps.add(text -> without(text, Characters::isNonSpacingMark));
        }
        if (lower) {
            steps.add(Normalizers::lowercase);
        }
        return steps;
    }

    private static AlignedText spaceChinese(AlignedText text) {
        AlignedText.Builder spaced = new AlignedText.Builder(text);
        for (TextPattern.Part part : TextPattern.each(Normalizers::isChinese).parts(text.text())) {
            if (part.matches()) {
                spaced.put(" ", part.from()).keep(part.from(), part.to()).put(" ", part.from());
            } else {
                spaced.keep(part.from(), part.to());
            }
        }
        return spaced.build();
    }

    private static boolean isChinese(int c) {
        return c >= 0x4E00 && c <= 0x9FFF || c >= 0x3400 && c <= 0x4DBF || c >= 0x20000 && c <= 0x2A6DF
            || c >= 0x2A700 && c <= 0x2CEAF && c != 0x2B73F && c != 0x2B81F
            || c >= 0xF900 && c <= 0xFAFF || c >= 0x2F800 && c <= 0x2FA1F;
    }
}
