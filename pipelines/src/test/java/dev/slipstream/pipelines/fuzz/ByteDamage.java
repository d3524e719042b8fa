package dev.slipstream.pipelines.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damage that knows nothing of a format: flipped bits, cuts, pieces in the wrong place, other numbers. */
public final class ByteDamage {
    private static final List<String> NUMBERS = List.of("0", "1", "-1", "2147483648", "4294967296",
        "9223372036854775807", "-9223372036854775808", "18446744073709551616", "999999999999999999", "1e9", "NaN");

    private ByteDamage() {
    }

    public static byte[] damage(byte[] file, byte[] other, Random random) {
        if (file.length == 0) {
            return other;
        }
        int at = random.nextInt(file.length);
        byte[] changed = file.clone();
        switch (random.nextInt(8)) {
            case 0, 1 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> changed[at] = (byte) random.nextInt();
            case 3 -> {
                return number(file, at, random);
            }
            case 4 -> {
                return splice(file, at, file, at, random);
            }
            case 5 -> {
                return splice(file, at, other, Math.min(file.length, at + random.nextInt(64)), random);
            }
            case 6 -> Arrays.fill(changed, at, Math.min(file.length, at + 1 + random.nextInt(8)),
                (byte) (random.nextBoolean() ? 0xff : 0));
            default -> {
                return random.nextInt(4) == 0 ? Arrays.copyOf(file, at)
                    : join(Arrays.copyOf(file, at), tail(file, Math.min(file.length, at + 1 + random.nextInt(64))));
            }
        }
        return changed;
    }

    /** Puts a piece of {@code from} in the place of what is between {@code at} and {@code end}. */
    private static byte[] splice(byte[] file, int at, byte[] from, int end, Random random) {
        int start = random.nextInt(Math.max(1, from.length));
        byte[] piece = Arrays.copyOfRange(from, start, Math.min(from.length, start + 1 + random.nextInt(200)));
        return join(Arrays.copyOf(file, at), piece, tail(file, end));
    }

    /** The next number that is written in digits becomes another. */
    private static byte[] number(byte[] file, int at, Random random) {
        int start = at;
        while (start < file.length && !Character.isDigit(file[start])) {
            start++;
        }
        int end = start;
        while (end < file.length && Character.isDigit(file[end])) {
            end++;
        }
        byte[] digits = NUMBERS.get(random.nextInt(NUMBERS.size())).getBytes(StandardCharsets.US_ASCII);
        return join(Arrays.copyOf(file, start), digits, tail(file, end));
    }

    private static byte[] tail(byte[] file, int from) {
        return Arrays.copyOfRange(file, from, file.length);
    }

    static byte[] join(byte[]... pieces) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            joined.writeBytes(piece);
        }
        return joined.toByteArray();
    }
}
