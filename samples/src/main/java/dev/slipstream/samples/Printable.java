package dev.slipstream.samples;

import java.io.IOException;
import java.io.Writer;
import java.nio.CharBuffer;

/**
 * Text that a terminal only shows. What stands in files of others, such as names of tensors, may hold characters that
 * move the cursor, change colours or turn the direction of writing: those are written as JSON escapes them, a backslash
 * and a u before four hexadecimal digits, so that in a JSON string they are still the same characters.
 */
final class Printable {
    private Printable() {
    }

    /** As one line: line ends and tabs are written out, too. */
    static String line(String text) {
        return escaped(text, "");
    }

    /** As several lines. */
    static String lines(CharSequence text) {
        return escaped(text, "\n\r\t");
    }

    private static String escaped(CharSequence text, String allowed) {
        StringBuilder shown = null;
        for (int index = 0; index < text.length(); index++) {
            char c = text.charAt(index);
            boolean plain = !commands(c) || allowed.indexOf(c) >= 0 && !isBare(text, index);
            if (!plain && shown == null) {
                shown = new StringBuilder(text.length() + 16).append(text, 0, index);
            }
            if (shown != null) {
                shown.append(plain ? Character.toString(c) : String.format("\\u%04X", (int) c));
            }
        }
        return shown == null ? text.toString() : shown.toString();
    }

    /** Of the line ends only CR LF begins with a CR; one by itself would let the rest of a line hide its beginning. */
    private static boolean isBare(CharSequence text, int index) {
        return text.charAt(index) == '\r' && (index + 1 == text.length() || text.charAt(index + 1) != '\n');
    }

    /** Control characters (Unicode's Cc), marks of direction (UAX 9), and ends of lines and paragraphs. */
    private static boolean commands(char c) {
        return Character.isISOControl(c) || c == '\u061C' || c == '\u200E' || c == '\u200F'
            || c >= '\u2028' && c <= '\u202E' || c >= '\u2066' && c <= '\u2069';
    }

    /** Several lines of it; what cannot be written is an {@link IOException} at the latest when it is flushed. */
    static final class Lines extends Writer {
        private final Writer to;

        Lines(Writer to) {
            this.to = to;
        }

        @Override
        public void write(char[] text, int from, int length) throws IOException {
            to.write(lines(CharBuffer.wrap(text, from, length)));
        }

        @Override
        public void flush() throws IOException {
            to.flush();
        }

        @Override
        public void close() throws IOException {
            to.close();
        }
    }
}
