package dev.slipstream.pipelines.tokenizer;

import java.util.List;
import java.util.Optional;

/**
 * The regular expressions that split text into words in the tokenizers of well-known models, each as code of its own,
 * since running an expression from a file could take unlimited time.
 */
enum WordPattern implements TextPattern {
    /** openai/CLIP, as transformers converts it. */
    CLIP("'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+") {
        @Override
        public int end(String text, int start) {
            int contraction = contraction(text, start);
            if (contraction != NONE) {
                return contraction;
            }
            int c = text.codePointAt(start);
            if (Characters.isLetter(c)) {
                return TextPattern.skip(text, start, Characters::isLetter);
            }
            if (Characters.isNumber(c)) {
                return start + Character.charCount(c);
            }
            return Characters.isSpace(c) ? NONE : TextPattern.skip(text, start, WordPattern::isSign);
        }
    },

    /** The same, as transformers writes it since version 5. */
    CLIP_WITH_ENDS("<\\|startoftext\\|>|<\\|endoftext\\|>|" + CLIP.regex) {
        @Override
        public int end(String text, int start) {
            for (String token : List.of("<|startoftext|>", "<|endoftext|>")) {
                if (text.startsWith(token, start)) {
                    return start + token.length();
                }
            }
            return CLIP.end(text, start);
        }
    },

    /** openai/gpt-2, and all tokenizers that are called byte-level. */
    GPT2("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+") {
        @Override
        public int end(String text, int start) {
            int contraction = contraction(text, start);
            if (contraction != NONE) {
                return contraction;
            }
            int word = text.charAt(start) == ' ' && start + 1 < text.length() ? start + 1 : start;
            int c = text.codePointAt(word);
            if (Characters.isLetter(c)) {
                return TextPattern.skip(text, word, Characters::isLetter);
            }
            if (Characters.isNumber(c)) {
                return TextPattern.skip(text, word, Characters::isNumber);
            }
            return Characters.isSpace(c) ? spaces(text, start) : TextPattern.skip(text, word, WordPattern::isSign);
        }
    },

    /** openai/tiktoken's cl100k, which Llama 3 uses, too. */
    CL100K("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+") {
        @Override
        public int end(String text, int start) {
            return modern(text, start, 3);
        }
    },

    /** The same with single digits: Qwen 2 and later. */
    QWEN2(CL100K.regex.replace("{1,3}", "")) {
        @Override
        public int end(String text, int start) {
            return modern(text, start, 1);
        }
    };

    private static final List<String> CONTRACTIONS = List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");

    private final String regex;

    WordPattern(String regex) {
        this.regex = regex;
    }

    static Optional<WordPattern> of(String regex) {
        for (WordPattern pattern : values()) {
            if (pattern.regex.equals(regex)) {
                return Optional.of(pattern);
            }
        }
        return Optional.empty();
    }

    private static int contraction(String text, int start) {
        if (text.charAt(start) == '\'') {
            for (String contraction : CONTRACTIONS) {
                if (text.startsWith(contraction, start)) {
                    return start + contraction.length();
                }
            }
        }
        return NONE;
    }

    private static boolean isSign(int c) {
        return !Characters.isSpace(c) && !Characters.isLetter(c) && !Characters.isNumber(c);
    }

    private static boolean isLineEnd(int c) {
        return c == '\r' || c == '\n';
    }

    /** All spaces but the last, which belongs to the word that follows; a single space is taken in any case. */
    private static int spaces(String text, int start) {
        int end = TextPattern.skip(text, start, Characters::isSpace);
        return end == text.length() || end == start + 1 ? end : end - 1;
    }

    private static int modern(String text, int start, int digits) {
        if (text.charAt(start) == '\'') {
            for (String contraction : CONTRACTIONS) {
                String there = text.substring(start, Math.min(text.length(), start + contraction.length()));
                // A long s counts as an s if case is ignored.
                if (there.replace('\u017F', 's').equalsIgnoreCase(contraction)) {
                    return start + contraction.length();
                }
            }
        }
        int c = text.codePointAt(start);
        int after = start + Character.charCount(c);
        boolean letterFollows = after < text.length() && Characters.isLetter(text.codePointAt(after));
        if (Characters.isLetter(c) || letterFollows && !isLineEnd(c) && !Characters.isNumber(c)) {
            return TextPattern.skip(text, after, Characters::isLetter);
        }
        if (Characters.isNumber(c)) {
            int end = after;
            for (int i = 1; i < digits && end < text.length() && Characters.isNumber(text.codePointAt(end)); i++) {
                end += Character.charCount(text.codePointAt(end));
            }
            return end;
        }
        int word = c == ' ' && after < text.length() ? after : start;
        if (isSign(text.codePointAt(word))) {
            return TextPattern.skip(text, TextPattern.skip(text, word, WordPattern::isSign), WordPattern::isLineEnd);
        }
        for (int end = TextPattern.skip(text, start, Characters::isSpace); end > start; end--) {
            if (isLineEnd(text.charAt(end - 1))) {
                return end;
            }
        }
        return spaces(text, start);
    }
}
