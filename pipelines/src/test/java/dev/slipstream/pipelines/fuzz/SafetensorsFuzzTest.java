package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFuzzTest {
    private static final String JSON_SIGNS = "{}[],:\"";

    @TempDir
    private Path folder;

    @Test
    void damagedFilesAreReadOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < 12; i++) {
            tensors.put("down_blocks." + i + ".resnets.0.conv1.weight", StoredTensor.of(Shape.of(i % 3, 2),
                new float[i % 3 * 2]));
        }
        Path seed = folder.resolve("seed.safetensors");
        SafetensorsWriter.write(seed, tensors, Map.of("format", "pt"));
        byte[] whole = Files.readAllBytes(seed);
        Path file = folder.resolve("damaged.safetensors");

        Fuzz.Outcome outcome = new Fuzz("safetensors", 128 << 10, 32).run(Fuzz.tries(4000),
            random -> damaged(whole, random), bytes -> {
                Files.write(file, bytes);
                try (SafetensorsFile read = SafetensorsFile.open(file)) {
                    read.tensors().values().forEach(StoredTensor::toFloats);
                }
            });
        reporter.publishEntry("fuzz safetensors", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > outcome.read(), outcome::toString);
    }

    /** Damages the header; its length and the data then fit again, or not. */
    private static byte[] damaged(byte[] whole, Random random) {
        ByteBuffer buffer = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        long length = buffer.getLong();
        byte[] header = Arrays.copyOfRange(whole, Long.BYTES, Long.BYTES + (int) length);
        byte[] data = Arrays.copyOfRange(whole, Long.BYTES + (int) length, whole.length);
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            header = random.nextInt(3) == 0 ? rearranged(header, random) : ByteDamage.damage(header, whole, random);
        }
        if (random.nextInt(8) == 0) {
            data = ByteDamage.damage(data, header, random);
        }
        long claimed = switch (random.nextInt(8)) {
            case 0 -> length;
            case 1 -> random.nextLong() >>> random.nextInt(64);
            case 2 -> header.length + random.nextInt(-9, 9);
            default -> header.length;
        };
        byte[] prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(claimed).array();
        byte[] file = ByteDamage.join(prefix, header, data);
        return random.nextInt(16) == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file;
    }

    /** What stands between two signs of the JSON text is put before a third: entries twice, lists in lists. */
    private static byte[] rearranged(byte[] header, Random random) {
        String json = new String(header, StandardCharsets.ISO_8859_1);
        List<Integer> signs = new ArrayList<>();
        for (int i = 0; i < json.length(); i++) {
            if (JSON_SIGNS.indexOf(json.charAt(i)) >= 0) {
                signs.add(i);
            }
        }
        if (signs.size() < 2) {
            return header;
        }
        int first = random.nextInt(signs.size() - 1);
        int last = random.nextInt(first + 1, Math.min(signs.size(), first + 40));
        String piece = json.substring(signs.get(first), signs.get(last));
        int target = signs.get(random.nextInt(signs.size()));
        return (json.substring(0, target) + piece.repeat(random.nextInt(10) == 0 ? 500 : 1) + json.substring(target))
            .getBytes(StandardCharsets.ISO_8859_1);
    }
}
