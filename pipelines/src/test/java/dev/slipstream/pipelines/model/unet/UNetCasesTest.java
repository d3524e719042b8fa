package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Options that few models have, against what PyTorch computed; {@code unet_cases.py} wrote the cases. */
class UNetCasesTest {
    private final OnnxRunner runner = new OnnxRunner(OptLevel.ALL_OPT);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"upscaler", "inpainting", "scale_shift", "plain", "simple_mid", "refiner",
        "uneven_heads", "odd_width"})
    void agreesWithPyTorch(String name) throws IOException, OrtException {
        JsonObject root = read(name);
        ConfigFile config = new ConfigFile(folder.resolve("config.json"), root.getAsJsonObject("config"));
        BuiltGraph built = UNet.write(config, FormulaCheckpoint.write(config, folder));

        float[] actual = OnnxRunner.floats(runner.run(built.graph(), inputs(root)).get("out_sample"));

        assertEquals(List.of(), built.ignored());
        assertArrayEquals(floats(root.getAsJsonArray("expected").asList()), actual, 2e-5f);
    }

    private static JsonObject read(String name) throws IOException {
        try (InputStream in = UNetCasesTest.class.getResourceAsStream(name + ".json")) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonObject();
        }
    }

    private Map<String, OnnxTensor> inputs(JsonObject root) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        for (Map.Entry<String, JsonElement> input : root.getAsJsonObject("inputs").entrySet()) {
            long[] dims = input.getValue().getAsJsonArray().asList().stream().mapToLong(JsonElement::getAsLong)
                .toArray();
            String name = input.getKey();
            boolean table = name.equals("class_labels") && root.getAsJsonObject("config").has("num_class_embeds");
            inputs.put(name, name.equals("timestep")
                ? runner.tensor(Arrays.copyOf(new long[] {321, 12}, (int) dims[0]), dims)
                : table ? runner.tensor(new long[] {3, 7}, dims)
                : runner.tensor(FormulaCheckpoint.input(name, Shape.of(dims)), dims));
        }
        return inputs;
    }

    private static float[] floats(List<JsonElement> numbers) {
        float[] values = new float[numbers.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = numbers.get(i).getAsFloat();
        }
        return values;
    }
}
