package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Visible characters for the bytes of UTF-8, so that 256 signs are enough for all texts.
 *
 * <p>Source: {@code bytes_to_unicode} of openai/gpt-2. Bytes that are no visible character of Latin-1 get the
 * characters from U+0100 on.
 */
public final class ByteAlphabet {
    private static final char[] SIGNS = signs();

    private ByteAlphabet() {
    }

    private static char[] signs() {
        char[] signs = new char[256];
        char next = 0x100;
        for (int value = 0; value < signs.length; value++) {
            boolean visible = value > ' ' && value < 0x7F || value > 0xA0 && value != 0xAD;
            signs[value] = visible ? (char) value : next++;
        }
        return signs;
    }

    /** The 256 signs in order of their characters, as they begin CLIP's vocabulary. */
    public static List<String> letters() {
        return new String(SIGNS).chars().sorted().mapToObj(Character::toString).toList();
    }

    /** The pre-tokenizer {@code ByteLevel}, which may first split into words. */
    static PreTokenizer read(ConfigFile step) {
        Normalizer prefix = Normalizer.prepend(" ");
        boolean prefixes = step.flag("add_prefix_space", true);
        PreTokenizer words = step.flag("use_regex", true) ? PreTokenizer.SplitBehavior.ISOLATED.at(WordPattern.GPT2)
            : PreTokenizer.SplitBehavior.ISOLATED.at((text, start) -> text.length());
        return text -> words.split(prefixes && !text.text().startsWith(" ") ? prefix.normalize(text) : text)
            .stream().map(ByteAlphabet::write).toList();
    }

    private static AlignedText write(AlignedText word) {
        String text = word.text();
        AlignedText.Builder written = new AlignedText.Builder(word);
        StringBuilder signs = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            int c = text.codePointAt(at);
            signs.setLength(0);
            if (c < 0x80) {
                signs.append(SIGNS[c]);
            } else {
                for (byte value : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
                    signs.append(SIGNS[value & 0xFF]);
                }
            }
            written.put(signs, at);
            at += Character.charCount(c);
        }
        return written.build();
    }
}
