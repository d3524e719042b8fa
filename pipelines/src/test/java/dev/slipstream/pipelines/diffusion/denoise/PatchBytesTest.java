package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes between devices for a picture of 1024 x 1024 of SDXL in its real size, whose checkpoint is a hole. */
@Tag("slow")
class PatchBytesTest {
    private static final int STEPS = 50;
    private static final int DEVICES = 8;
    private static final String SCHEDULER = "{\"_class_name\": \"DDIMScheduler\"}";

    @TempDir
    private static Path folder;
    private static DenoiserGraph denoiser;

    @BeforeAll
    static void write() throws IOException {
        JsonObject config;
        try (InputStreamReader text = new InputStreamReader(Objects.requireNonNull(
            ModelTemplate.class.getResourceAsStream("sdxl.json")), StandardCharsets.UTF_8)) {
            config = JsonParser.parseReader(text).getAsJsonObject().getAsJsonObject("folders").getAsJsonObject("unet");
        }
        Files.writeString(folder.resolve("config.json"), config.toString());
        ConfigFile file = ConfigFile.read(folder.resolve("config.json"));
        JsonObject header = new JsonObject();
        long end = 0;
        for (Map.Entry<String, Shape> weight : ComponentKinds.of(file).weights(file).entrySet()) {
            long bytes = 2 * weight.getValue().elements();
            StringBuilder dims = new StringBuilder();
            for (long dim : weight.getValue().toArray()) {
                dims.append(dims.isEmpty() ? "" : ",").append(dim);
            }
            header.add(weight.getKey(), JsonParser.parseString("{\"dtype\":\"F16\",\"shape\":[" + dims
                + "],\"data_offsets\":[" + end + "," + (end + bytes) + "]}"));
            end += bytes;
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile holes = new RandomAccessFile(
            folder.resolve("diffusion_pytorch_model.safetensors").toFile(), "rw")) {
            holes.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
            holes.write(text);
            holes.setLength(Long.BYTES + text.length + end);
        }
        denoiser = new DenoiserGraph("unet", UNet.read(folder).graph(), config, List.of())
            .withPrecision(Precision.FP16);
    }

    /** What comes to a device in a step of the window, on average. */
    private static double received(String plan) {
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, 128, 128), 0, false,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 1, 77, 2048),
                "text_embeds", TensorType.of(DataType.FLOAT32, 1, 1280),
                "time_ids", TensorType.of(DataType.FLOAT32, 1, 6)));
        PartitionedDenoiser partitioned = PartitionedDenoiser.of(denoiser, shape, Strategy.parse(plan), DEVICES);
        Program program = partitioned.program(NoiseScheduler.parse(SCHEDULER, "here").table(STEPS), new Guidance(1, 0),
            KeptLatents.LAST, Estimates.NONE, UnrollOptions.PLAIN);
        double all = IntStream.range(0, DEVICES).mapToLong(program::receivedBytes).sum();
        System.out.printf("%s: %.1f MB a step and device, at most %.1f; %.2f GB for a picture%n", plan,
            all / DEVICES / 1e6, IntStream.range(0, DEVICES).mapToLong(program::receivedBytes).max().orElse(0) / 1e6,
            program.copiedBytes() / 1e9);
        return all / DEVICES;
    }

    @Test
    void patchesOfSdxlReceiveNoMoreThanThePublishedOnes() {
        double all = received("patches:n=8");
        double portion = received("patches:n=8,portion=0.3");
        assertTrue(all <= 0.42e9, all + " bytes");
        assertTrue(portion <= 0.15 * all, portion + " bytes of " + all);
        assertEquals(0, received("sequential") > all ? 1 : 0);
    }
}
