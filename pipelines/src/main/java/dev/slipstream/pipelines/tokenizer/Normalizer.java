package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.BreakIterator;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Changes a text before it is split into words. Immutable, for any thread. */
interface Normalizer {
    /** @throws AlignedText.TooLongException if the result is too long */
    AlignedText normalize(AlignedText text);

    /**
     * Reads the {@code normalizer} of a tokenizer.json.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if it is damaged, or of a kind that is not supported
     */
    static Normalizer read(ConfigFile file) {
        return file.object("normalizer").map(normalizer -> sequence(steps(normalizer))).orElse(text -> text);
    }

    private static List<Normalizer> steps(ConfigFile normalizer) {
        return Steps.flatten(normalizer, "normalizers").stream().map(Normalizer::step).toList();
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
            case "Lowercase" -> Normalizer::lowercase;
            case "StripAccents" -> text -> without(text, Characters::isNonSpacingMark);
            case "Strip" -> strip(step.flag("strip_left", true), step.flag("strip_right", true));
            case "Prepend" -> prepend(step.text("prepend").orElseThrow(() -> step.wrong("prepend", "is missing")));
            case "Replace" -> new Replacement(Steps.pattern(step),
                step.text("content").orElseThrow(() -> step.wrong("content", "is missing")));
            case "Precompiled" -> CharacterMap.read(step)::normalize;
            case "BertNormalizer" -> sequence(bert(step));
            default -> throw step.wrong("normalizer", "has a step of a kind that is not supported, \"" + type + "\"");
        };
    }

    /** Character by character, so a sigma at the end of a word is treated like any other. */
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
            steps.add(Normalizer::spaceChinese);
        }
        if (step.flag("strip_accents", lower)) {
            steps.add(new UnicodeForm(Form.NFD));
            steps.add(text -> without(text, Characters::isNonSpacingMark));
        }
        if (lower) {
            steps.add(Normalizer::lowercase);
        }
        return steps;
    }

    private static AlignedText spaceChinese(AlignedText text) {
        AlignedText.Builder spaced = new AlignedText.Builder(text);
        for (TextPattern.Part part : TextPattern.each(Normalizer::isChinese).parts(text.text())) {
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

    /** Replaces each match by a fixed text. */
    record Replacement(TextPattern pattern, String content) implements Normalizer {
        @Override
        public AlignedText normalize(AlignedText text) {
            AlignedText.Builder replaced = new AlignedText.Builder(text);
            int kept = 0;
            for (TextPattern.Part part : pattern.parts(text.text())) {
                if (part.matches()) {
                    replaced.keep(kept, part.from()).put(content, part.from());
                    kept = part.to();
                }
            }
            return kept == 0 ? text : replaced.keep(kept, text.length()).build();
        }
    }

    /**
     * One of Unicode's normal forms (UAX #15), made segment by segment: a character and all that may be composed with
     * it. Java sorts combining marks by insertion, so a segment is cut after 1024 characters; no writing has more than
     * some dozen.
     */
    record UnicodeForm(Form form) implements Normalizer {
        private static final int LONGEST_SEGMENT = 1024;

        @Override
        public AlignedText normalize(AlignedText text) {
            String source = text.text();
            if (source.chars().allMatch(c -> c < 0x80)) {
                return text;
            }
            AlignedText.Builder normal = new AlignedText.Builder(text);
            int at = 0;
            while (at < source.length()) {
                int end = segmentEnd(source, at);
                String segment = source.substring(at, end);
                String changed = java.text.Normalizer.normalize(segment, form);
                if (changed.equals(segment)) {
                    normal.keep(at, end);
                } else {
                    normal.put(changed, at);
                }
                at = end;
            }
            return normal.build();
        }

        private static int segmentEnd(String text, int start) {
            int end = start + Character.charCount(text.codePointAt(start));
            while (end < text.length() && end - start < LONGEST_SEGMENT && mayJoin(text.codePointAt(end))) {
                end += Character.charCount(text.codePointAt(end));
            }
            return end;
        }

        /** Whether a character, or what it is decomposed into, may be composed with those before it. */
        private static boolean mayJoin(int c) {
            return c >= 0x80 && (Characters.isMark(c)
                // Vowels and last consonants of Hangul, also in their other forms, and the voice marks of Katakana.
                || c >= 0x1160 && c <= 0x11FF || c >= 0x3131 && c <= 0x318E || c >= 0xFF9E && c <= 0xFFDC);
        }
    }

    /**
     * The normalizer {@code Precompiled}: what each sequence of bytes becomes, as a double-array trie.
     *
     * <p>Source: the precompiled_charsmap of google/sentencepiece (normalizer.cc) and its trie, s-yata/darts-clone; how
     * it is applied, to grapheme clusters of up to five bytes and then to single characters, is as in
     * huggingface/tokenizers.
     */
    static final class CharacterMap {
        private static final int LONGEST_CLUSTER = 5;

        private final int[] units;
        private final byte[] texts;

        private CharacterMap(int[] units, byte[] texts) {
            this.units = units;
            this.texts = texts;
        }

        /** @throws ModelException if the map is missing or damaged */
        static CharacterMap read(ConfigFile step) {
            String key = "precompiled_charsmap";
            String encoded = step.text(key).orElseThrow(() -> step.wrong(key, "is missing"));
            try {
                ByteBuffer map = ByteBuffer.wrap(Base64.getDecoder().decode(encoded)).order(ByteOrder.LITTLE_ENDIAN);
                int size = map.remaining() < 4 ? -1 : map.getInt();
                if (size <= 0 || size % 4 != 0 || size > map.remaining()) {
                    throw step.wrong(key, "is damaged: its trie does not fit into it");
                }
                int[] units = new int[size / 4];
                map.asIntBuffer().get(units);
                byte[] texts = new byte[map.remaining() - size];
                map.position(4 + size).get(texts);
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
                return new CharacterMap(units, texts);
            } catch (IllegalArgumentException | CharacterCodingException e) {
                throw step.wrong(key, "is damaged: " + e.getMessage());
            }
        }

        /** As {@link Normalizer#normalize}. */
        AlignedText normalize(AlignedText text) {
            String source = text.text();
            AlignedText.Builder mapped = new AlignedText.Builder(text);
            BreakIterator clusters = BreakIterator.getCharacterInstance(Locale.ROOT);
            clusters.setText(source);
            int from = clusters.first();
            for (int to = clusters.next(); to != BreakIterator.DONE; to = clusters.next()) {
                String whole = to - from > LONGEST_CLUSTER ? null : map(source.substring(from, to));
                if (whole != null) {
                    mapped.put(whole, from);
                } else {
                    characters(source, from, to, mapped);
                }
                from = to;
            }
            return mapped.build();
        }

        private void characters(String source, int from, int to, AlignedText.Builder mapped) {
            for (int at = from; at < to; ) {
                int end = at + Character.charCount(source.codePointAt(at));
                String changed = map(source.substring(at, end));
                if (changed == null) {
                    mapped.keep(at, end);
                } else {
                    mapped.put(changed, at);
                }
                at = end;
            }
        }

        /**
         * The replacement of the shortest beginning that is in the map; null if there is none, or the text is too long.
         */
        private String map(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            if (bytes.length > LONGEST_CLUSTER) {
                return null;
            }
            int node = offset(units[0]);
            for (byte value : bytes) {
                node ^= value & 0xFF;
                if (value == 0 || node < 0 || node >= units.length || (units[node] & 0x800000FF) != (value & 0xFF)) {
                    return null;
                }
                int unit = units[node];
                node ^= offset(unit);
                if ((unit >>> 8 & 1) == 1) {
                    return node < 0 || node >= units.length ? null : textAt(units[node] & Integer.MAX_VALUE);
                }
            }
            return null;
        }

        private static int offset(int unit) {
            return unit >>> 10 << ((unit & 1 << 9) >>> 6);
        }

        private String textAt(int start) {
            int end = start;
            while (end < texts.length && texts[end] != 0) {
                end++;
            }
            return start >= texts.length ? "" : new String(texts, start, end - start, StandardCharsets.UTF_8);
        }
    }
}
