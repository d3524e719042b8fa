package dev.slipstream.pipelines.cache;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.HexFormat;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Hashes texts so that a cache can tell equal ones without keeping them: HMAC-SHA-256 with 32 random bytes of this
 * cache. Whoever may read the cache's folder has these bytes, too, and can try out words; so the folder is its user's
 * alone, and the hashes only keep texts from where they are not looked for, such as logs and backups of single files.
 */
final class Salt {
    static final int BYTES = 32;

    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec key;

    Salt(byte[] bytes) {
        this.key = new SecretKeySpec(bytes, ALGORITHM);
    }

    static byte[] random() {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    /** In 32 hexadecimal digits. */
    String hash(String text) {
        return HexFormat.of().formatHex(mac(text), 0, 16);
    }

    /** In 64 bits. */
    long shortHash(String text) {
        return ByteBuffer.wrap(mac(text)).getLong();
    }

    private byte[] mac(String text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException | InvalidKeyException impossible) {
            throw new AssertionError("every Java platform has " + ALGORITHM, impossible);
        }
    }

    /** A text as most tokenizers read it: without differences of case, of spaces, and of how letters are composed. */
    static String plain(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT).strip()
            .replaceAll("\\s+", " ");
    }
}
