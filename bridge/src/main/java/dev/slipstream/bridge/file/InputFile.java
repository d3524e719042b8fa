package dev.slipstream.bridge.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;

/**
 * Opens files that come from outside: those that a user names, and those that lie in a folder which a user names.
 * Only regular files pass, and links to them: a pipe would be waited for, and a device has no end. What is read whole
 * has a bound, which is kept while reading, whatever the file's size was said to be.
 *
 * <p>Every {@link IOException} has a message of one sentence that names the file.
 */
public final class InputFile {
    /** Of a file that does not say its size, as those of the kernel. */
    private static final int FIRST_BYTES = 1 << 13;

    private InputFile() {
    }

    /**
     * Whether something has this name, be it a link that leads nowhere: such a file is not left out as if it had never
     * been there, but complained of when it is opened.
     */
    public static boolean isThere(Path file) {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Opens a file for reading or mapping.
     *
     * @throws NoSuchFileException if it is missing, or a link to what is
     */
    public static FileChannel open(Path file) throws IOException {
        check(file);
        try {
            return FileChannel.open(file, StandardOpenOption.READ);
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    /** The same to be read from beginning to end. */
    public static InputStream stream(Path file) throws IOException {
        check(file);
        try {
            return Files.newInputStream(file);
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    /** The first bytes, as many as asked for or as there are. */
    public static byte[] head(Path file, int count) throws IOException {
        try (InputStream in = stream(file)) {
            return in.readNBytes(count);
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    /** All bytes. @param most a file with more is refused */
    public static byte[] bytes(Path file, long most) throws IOException {
        try (InputStream in = stream(file)) {
            long said = Files.size(file);
            if (said > most) {
                throw tooLarge(file, said + " bytes", most);
            }
            byte[] bytes = new byte[(int) (said > 0 ? said : Math.min(FIRST_BYTES, most))];
            int read = 0;
            while (true) {
                int count = in.readNBytes(bytes, read, bytes.length - read);
                read += count;
                if (read < bytes.length) {
                    return Arrays.copyOf(bytes, read);
                }
                int next = in.read();
                if (next < 0) {
                    return bytes;
                }
                if (read >= most) {
                    throw tooLarge(file, "more than " + most + " bytes", most);
                }
                bytes = Arrays.copyOf(bytes, (int) Math.min(most, 2L * read));
                bytes[read++] = (byte) next;
            }
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    /** All of a text in UTF-8. @param most bytes */
    public static String text(Path file, long most) throws IOException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file, most))).toString();
        } catch (CharacterCodingException binary) {
            throw new Refused(file + " is not UTF-8 text");
        }
    }

    private static void check(Path file) throws IOException {
        BasicFileAttributes what;
        try {
            what = Files.readAttributes(file, BasicFileAttributes.class);
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
        if (what.isDirectory()) {
            throw new Refused(file + " is a folder, not a file");
        }
        if (!what.isRegularFile()) {
            throw new Refused(file + " is a pipe or a device, not a regular file");
        }
    }

    private static IOException tooLarge(Path file, String bytes, long most) {
        return new Refused(file + " is too large: it has " + bytes + ", and at most " + most + " are read");
    }

    private static IOException unreadable(Path file, IOException failure) {
        if (failure instanceof Refused || failure instanceof Missing) {
            return failure;
        }
        if (failure instanceof NoSuchFileException) {
            return new Missing(file);
        }
        return new Refused("cannot read " + file + ": " + FileFailure.reason(failure), failure);
    }

    /** Has its sentence. */
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        Refused(String sentence) {
            super(sentence);
        }

        Refused(String sentence, IOException cause) {
            super(sentence, cause);
        }
    }

    private static final class Missing extends NoSuchFileException {
        private static final long serialVersionUID = 1;
        private final String sentence;

        Missing(Path file) {
            super(file.toString());
            sentence = sentence(file);
        }

        private static String sentence(Path file) {
            try {
                return file + " is a link to " + Files.readSymbolicLink(file) + ", which is missing";
            } catch (IOException | UnsupportedOperationException noLink) {
                return "there is no file " + file;
            }
        }

        @Override
        public String getMessage() {
            return sentence;
        }
    }
}
