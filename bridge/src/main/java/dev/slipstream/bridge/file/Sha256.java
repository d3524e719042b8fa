package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 in hexadecimal digits. */
public final class Sha256 {
    private static final int CHUNK_BYTES = 1 << 20;

    private Sha256() {
    }

    /** Of what remains in the buffer, which stays as it is. */
    public static String of(ByteBuffer bytes) {
        MessageDigest digest = digest();
        digest.update(bytes.duplicate());
        return hex(digest);
    }

    /** Of a text in UTF-8. */
    public static String of(String text) {
        return of(StandardCharsets.UTF_8.encode(text));
    }

    /** Of all bytes of a file. It is read rather than mapped: a bad sector is then an error and not a crash. */
    public static String ofFile(Path file) throws IOException {
        return Uninterrupted.io(() -> {
            MessageDigest digest = digest();
            try (FileChannel channel = InputFile.open(file)) {
                ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
                while (channel.read(chunk) >= 0) {
                    digest.update(chunk.flip());
                    chunk.clear();
                }
            }
            return hex(digest);
        });
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-256", impossible);
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
