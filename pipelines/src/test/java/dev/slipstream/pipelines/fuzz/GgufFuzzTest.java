package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.weights.TensorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

class GgufFuzzTest {
    private static final int[] CODES = {0, 1, 30, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14};
    private static final int[] BLOCK_BYTES = {1024, 512, 512, 144, 160, 176, 192, 272, 84, 110, 144, 176, 210};
    private static final int ALIGNMENT = 32;

    @TempDir
    private Path folder;

    @Test
    void damagedFilesAreReadOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        byte[] header = header();
        byte[] data = data();
        Path file = folder.resolve("damaged.gguf");
        Fuzz.Outcome outcome = new Fuzz("gguf", 256 << 10, 32).run(Fuzz.tries(4000),
            random -> damaged(header, data, random), bytes -> {
                Files.write(file, bytes);
                try (TensorFile read = TensorFile.open(file)) {
                    read.tensors().values().forEach(tensor -> tensor.values(0, tensor.shape().elements()));
                }
            });
        reporter.publishEntry("fuzz gguf", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    private static byte[] header() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.write(integer(3));
        out.write(whole(CODES.length));
        out.write(whole(5));
        setting(out, "general.architecture", 8, text("flux"));
        setting(out, "general.alignment", 4, integer(ALIGNMENT));
        setting(out, "some.number", 6, integer(7));
        setting(out, "some.texts", 9, integer(8), whole(2), text("a"), text("bc"));
        setting(out, "comfy.gguf.orig_shape.tensor.3", 9, integer(5), whole(2), integer(2), integer(128));
        long offset = 0;
        for (int i = 0; i < CODES.length; i++) {
            out.write(text("tensor." + i));
            out.write(integer(1));
            out.write(whole(256));
            out.write(integer(CODES[i]));
            out.write(whole(offset));
            offset += (BLOCK_BYTES[i] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
        return out.toByteArray();
    }

    private static byte[] data() {
        return new byte[Arrays.stream(BLOCK_BYTES).map(bytes -> (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT).sum()];
    }

    private static void setting(ByteArrayOutputStream out, String key, int type, byte[]... values) throws IOException {
        out.write(text(key));
        out.write(integer(type));
        for (byte[] value : values) {
            out.write(value);
        }
    }

    private static byte[] text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteDamage.join(whole(bytes.length), bytes);
    }

    private static byte[] integer(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    private static byte[] whole(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    /** Damages the header, or puts a hostile number into it; the data then lie where they were, or not. */
    private static byte[] damaged(byte[] whole, byte[] data, Random random) {
        byte[] header = whole.clone();
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            if (random.nextBoolean() && header.length > 8) {
                long number = random.nextBoolean() ? random.nextLong() >>> random.nextInt(64) : random.nextInt(-2, 300);
                int at = random.nextInt(header.length - 8);
                System.arraycopy(random.nextBoolean() ? whole(number) : integer((int) number), 0, header, at, 4);
            } else {
                header = ByteDamage.damage(header, whole, random);
            }
        }
        byte[] padding = new byte[Math.floorMod(-header.length, ALIGNMENT)];
        byte[] file = ByteDamage.join(header, padding, data);
        return random.nextInt(16) == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file;
    }
}
