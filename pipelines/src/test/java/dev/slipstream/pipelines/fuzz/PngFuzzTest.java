package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.ImageFormat;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

class PngFuzzTest {
    private static final int SIGNATURE = 8;
    /** A byte of deflate makes 1032 of others at most, each of up to eight pixels of three colours. */
    private static final int PER_BYTE = 1032 * 25;

    @TempDir
    private Path folder;

    @Test
    void damagedPicturesAreReadOrRefused(TestReporter reporter) throws InterruptedException {
        byte[] pixels = new byte[16 * 9 * 3];
        new Random(1).nextBytes(pixels);
        byte[] whole = Image.of(16, 9, pixels).encode(ImageFormat.PNG, Map.of("parameters", "a star"));
        Path file = folder.resolve("damaged.png");

        Fuzz.Outcome outcome = new Fuzz("pictures", 64 << 10, PER_BYTE).run(Fuzz.tries(4000),
            random -> damaged(whole, random), bytes -> {
                Files.write(file, bytes);
                read(file);
            });
        reporter.publishEntry("fuzz pictures", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    private static void read(Path file) throws IOException {
        try {
            Image.read(file);
        } catch (RequestException e) {
            assertTrue(e.getMessage().startsWith(file.toString()) || e.getMessage().startsWith("cannot read"),
                e::getMessage);
            throw new ModelException(e.getMessage(), e);
        }
    }

    /** The checksums are right again as a rule, as otherwise nothing behind them would be reached. */
    private static byte[] damaged(byte[] whole, Random random) {
        byte[] file = whole;
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            file = random.nextInt(3) == 0 ? header(file, random) : ByteDamage.damage(file, whole, random);
        }
        return random.nextInt(8) == 0 ? file : withChecksums(file);
    }

    /** Another size, depth or colour type. */
    private static byte[] header(byte[] whole, Random random) {
        byte[] file = whole.clone();
        int at = SIGNATURE + 8 + random.nextInt(13);
        if (at < file.length) {
            file[at] = (byte) (random.nextBoolean() ? 1 << random.nextInt(8) : random.nextInt(17));
        }
        return file;
    }

    private static byte[] withChecksums(byte[] whole) {
        ByteBuffer file = ByteBuffer.wrap(whole.clone());
        int at = SIGNATURE;
        while (at + 12 <= file.limit()) {
            int length = file.getInt(at);
            if (length < 0 || length > file.limit() - at - 12) {
                break;
            }
            CRC32 checksum = new CRC32();
            checksum.update(file.array(), at + 4, length + 4);
            file.putInt(at + 8 + length, (int) checksum.getValue());
            at += 12 + length;
        }
        return file.array();
    }
}
