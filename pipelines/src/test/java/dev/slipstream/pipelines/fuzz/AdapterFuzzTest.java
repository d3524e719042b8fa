package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.lora.Lora;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.weights.WeightStore;
import dev.slipstream.pipelines.model.lora.OpenLoras;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Adapters of all kinds, damaged, merged into a model of a few weights. */
class AdapterFuzzTest {
    private static final String MODULE = "base_model.model.mid_block.attentions.0.";
    private static final String SETTINGS = """
        {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "use_rslora": true, "use_dora": false, "bias": "none",
         "rank_pattern": {"attn1.to_q": 2}, "alpha_pattern": {"to_[kv]|.*proj(_in)?": 8, "^x$": 3},
         "init_lora_weights": true, "target_modules": ["to_q"], "modules_to_save": null, "fan_in_fan_out": false}""";
    /** Shapes that a damaged header may have, so that it still fills the data. */
    private static final List<String> PIECES = List.of("lora_down", "lora_up", "lora_mid", "hada_w1_a", "hada_w2_b",
        "hada_t1", "lokr_w1", "lokr_w2_a", "lokr_t2", "diff", "diff_b", "dora_scale", "alpha", "scalar", "F32", "F16",
        "F8_E4M3", "I64", "[2,6]", "[6,2]", "[3,4]", "[12]", "[12,1]", "[1,12]", "[2,2,3,1]");

    @TempDir
    private Path folder;
    private Path file;
    private byte[] whole;

    @BeforeEach
    void write() throws IOException {
        Path unet = Files.createDirectory(folder.resolve("unet"));
        SafetensorsWriter.write(unet.resolve("diffusion_pytorch_model.safetensors"), Map.of(
            "mid_block.attentions.0.to_q.weight", ones(6, 6), "mid_block.attentions.0.to_k.weight", ones(6, 6),
            "mid_block.attentions.0.to_v.weight", ones(6, 6, 1, 1), "mid_block.attentions.0.norm.weight", ones(6),
            "mid_block.attentions.0.norm.bias", ones(6)), Map.of());
        file = Files.createDirectory(folder.resolve("adapter")).resolve("adapter_model.safetensors");
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        put(tensors, "to_q.lora_down.weight", 2, 6);
        put(tensors, "to_q.lora_up.weight", 6, 2);
        put(tensors, "to_q.dora_scale", 6, 1);
        put(tensors, "to_q.alpha", 1);
        for (String half : List.of("w1", "w2")) {
            put(tensors, "to_k.hada_" + half + "_a", 2, 6);
            put(tensors, "to_k.hada_" + half + "_b", 2, 6);
            put(tensors, "to_k.hada_t" + half.charAt(1), 2, 2);
        }
        put(tensors, "to_v.lokr_w1", 2, 3);
        put(tensors, "to_v.lokr_w2_a", 3, 2);
        put(tensors, "to_v.lokr_w2_b", 2, 2);
        put(tensors, "norm.w_norm", 6);
        put(tensors, "norm.b_norm", 6);
        SafetensorsWriter.write(file, tensors, Map.of());
        whole = Files.readAllBytes(file);
    }

    private static StoredTensor ones(long... dims) {
        float[] values = new float[(int) Shape.of(dims).elements()];
        Arrays.fill(values, 1);
        return StoredTensor.of(Shape.of(dims), values);
    }

    private static void put(Map<String, StoredTensor> tensors, String name, long... dims) {
        tensors.put(MODULE + name, ones(dims));
    }

    private void merge(boolean lenient) {
        Loras loras = Loras.NONE.and(Lora.read(file), 0.5).storedIn(new WeightStore(folder.resolve("store"), 0));
        try (OpenLoras open = (lenient ? loras.ignoringUnknown(true) : loras).open()) {
            open.open(Component.DENOISER, folder.resolve("unet"));
        }
    }

    @Test
    void damagedAdaptersAreMergedOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        merge(false);
        Fuzz.Outcome outcome = new Fuzz("adapters", 512 << 10, 64).run(Fuzz.tries(1000), this::damaged, bytes -> {
            Files.write(file, bytes);
            merge(bytes.length % 2 == 0);
        });
        reporter.publishEntry("fuzz adapters", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    /** Names, types and shapes become others, or bytes anywhere; the header's length is right again. */
    private byte[] damaged(Random random) {
        int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(whole, Long.BYTES, length, StandardCharsets.UTF_8);
        byte[] data = Arrays.copyOfRange(whole, Long.BYTES + length, whole.length);
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            String piece = PIECES.get(random.nextInt(PIECES.size()));
            String other = PIECES.get(random.nextInt(PIECES.size()));
            int at = header.indexOf(piece, random.nextInt(header.length()));
            if (at >= 0) {
                header = header.substring(0, at) + other + header.substring(at + piece.length());
            }
        }
        byte[] bytes = header.getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(4) == 0) {
            bytes = ByteDamage.damage(bytes, whole, random);
        }
        if (random.nextInt(4) == 0) {
            data = ByteDamage.damage(data, bytes, random);
        }
        byte[] size = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length).array();
        return ByteDamage.join(size, bytes, data);
    }

    @Test
    void wrongSettingsAreFollowedOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        JsonObject settings = JsonParser.parseString(SETTINGS).getAsJsonObject();
        Fuzz.Outcome outcome = new Fuzz("adapter settings", 4 << 20, 64).run(Fuzz.tries(1000),
            random -> damaged(settings, random), bytes -> {
                Files.write(file.resolveSibling("adapter_config.json"), bytes);
                merge(bytes.length % 2 == 0);
            });
        reporter.publishEntry("fuzz adapter settings", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    private static byte[] damaged(JsonObject settings, Random random) {
        JsonObject copy = settings.deepCopy();
        if (random.nextInt(3) == 0) {
            copy.getAsJsonObject("alpha_pattern").addProperty(expression(random), 2);
        }
        JsonDamage.damage(copy, random);
        byte[] bytes = copy.toString().getBytes(StandardCharsets.UTF_8);
        return random.nextInt(3) == 0 ? ByteDamage.damage(bytes, bytes, random) : bytes;
    }

    /** As some that take for ever. */
    private static String expression(Random random) {
        StringBuilder text = new StringBuilder();
        for (int parts = random.nextInt(1, 40); parts > 0; parts--) {
            text.append(List.of("(", ")", ".", "*", "+", "|", "(.*)*", "(\\w+)+", "[a-z", "{99999}", "to_q", "\\2", "?")
                .get(random.nextInt(13)));
        }
        return text.toString();
    }
}
