package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.WeightStore;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures of tiny models with LoRAs for their text encoders and their denoiser, from the command line. */
@Tag("slow")
class LoraPictureTest {
    /** Of the tiny models' text encoders; both factors fit its square weights. */
    private static final int WIDTH = 32;
    private static final int RANK = 2;

    @TempDir
    private Path folder;
    private Path picture;
    private String property;

    @BeforeEach
    void remember() {
        picture = folder.resolve("picture.png");
        property = System.setProperty(WeightStore.FOLDER_PROPERTY, folder.resolve("merged").toString());
    }

    @AfterEach
    void restore() {
        if (property == null) {
            System.clearProperty(WeightStore.FOLDER_PROPERTY);
        } else {
            System.setProperty(WeightStore.FOLDER_PROPERTY, property);
        }
    }

    private Path model(String family, String type) {
        Path model = folder.resolve(family);
        CommandRun run = CommandRun.of("model", "init", "--like", family, "--tiny", "--type", type, model.toString());
        assertEquals(ExitCode.OK, run.code(), run.err());
        return model;
    }

    /** @param layer with the prefix of its component; {@code sides} what stands between it and ".weight" */
    private Path lora(String layer, String down, String up) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put(layer + down + ".weight", random(RANK, WIDTH));
        tensors.put(layer + up + ".weight", random(WIDTH, RANK));
        Path file = folder.resolve("style.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    private static StoredTensor random(long... dims) {
        Random random = new Random(1);
        float[] values = new float[(int) Shape.of(dims).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return StoredTensor.of(Shape.of(dims), values);
    }

    private CommandRun generate(Path model, String... options) {
        List<String> args = new ArrayList<>(List.of("generate", "a star", "--model", model.toString(), "--steps", "2",
            "--seed", "7", "--plan", "sequential", "--devices", "1", "--json", "--output", picture.toString()));
        args.addAll(Arrays.asList(options));
        CommandRun run = CommandRun.of(args.toArray(String[]::new));
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals("", run.err());
        return run;
    }

    private byte[] drawn(Path model, String... options) throws IOException {
        generate(model, options);
        return Files.readAllBytes(picture);
    }

    @ParameterizedTest
    @CsvSource({
        "sd15, f32, lora_te_text_model_encoder_layers_0_self_attn_v_proj, .lora_down, .lora_up",
        "sd15, f16, text_encoder.text_model.encoder.layers.0.self_attn.v_proj, .lora_A, .lora_B",
        "sd15, f16, lora_te_text_model_encoder_layers_1_self_attn_v_proj, .lora_down, .lora_up",
        "sdxl, f32, lora_te1_text_model_encoder_layers_0_self_attn_v_proj, .lora_down, .lora_up",
        "sdxl, f16, lora_te2_text_model_encoder_layers_0_self_attn_v_proj, .lora_down, .lora_up",
        "sdxl, f16, text_encoder.text_model.encoder.layers.0.self_attn.v_proj, .lora_linear_layer.down, "
            + ".lora_linear_layer.up",
        "sdxl, f32, text_encoder_2.text_model.encoder.layers.0.self_attn.v_proj, .lora_A, .lora_B"})
    void aLoraOfATextEncoderChangesThePictureUntilItIsTakenAway(String family, String type, String layer, String down,
        String up) throws IOException {
        Path model = model(family, type);
        byte[] before = drawn(model);
        String lora = lora(layer, down, up).toString();
        byte[] full = drawn(model, "--lora", lora);
        byte[] half = drawn(model, "--lora", lora + ":0.5");
        assertFalse(Arrays.equals(before, full), "the LoRA changes nothing");
        assertFalse(Arrays.equals(half, full), "its weight changes nothing");
        assertArrayEquals(before, drawn(model));
        assertArrayEquals(full, drawn(model, "--lora", lora));
    }

    @Test
    void thePictureAndTheReportNameTheLorasAndTheirWeights() throws IOException {
        Path model = model("sd15", "f32");
        String lora = lora("lora_te_text_model_encoder_layers_0_self_attn_v_proj", ".lora_down", ".lora_up").toString();
        JsonObject report = generate(model, "--lora", lora, "--lora", lora + ":-0.5").json();
        JsonObject second = report.getAsJsonArray("loras").get(1).getAsJsonObject();
        assertEquals(lora, second.get("file").getAsString());
        assertEquals(-0.5, second.get("weight").getAsDouble());
        String text = PngText.parameters(picture);
        assertTrue(text.contains(", Lora: \"style.safetensors:1.0, style.safetensors:-0.5\","), text);
        assertEquals(0, generate(model).json().getAsJsonArray("loras").size());
        assertFalse(PngText.parameters(picture).contains("Lora"));
    }
}
