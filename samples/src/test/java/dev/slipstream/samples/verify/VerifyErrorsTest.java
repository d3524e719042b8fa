package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong with a folder is said in one sentence that names the file, and the key where there is one. */
class VerifyErrorsTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void writeGoodFolder() throws IOException {
        new TinyFolder(folder).write();
    }

    private void assertError(String... parts) {
        VerifyRun run = VerifyRun.of(folder);
        assertEquals(2, run.exitCode(), run.out());
        assertNotNull(run.error());
        String message = run.error().getMessage();
        assertEquals(1, message.lines().count(), message);
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cases.json", "inputs.safetensors", "expected.safetensors", "unet/model.onnx",
        "scheduler-ddim/scheduler_config.json"})
    void aMissingFileIsNamed(String file) throws IOException {
        Files.delete(folder.resolve(file));
        assertError(Path.of(file).getFileName().toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"cases.json", "inputs.safetensors", "expected.safetensors", "unet/model.onnx",
        "scheduler-ddim/scheduler_config.json", "unet/config.json"})
    void aFileThatIsCutShortIsNamed(String file) throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve(file));
        Files.write(folder.resolve(file), Arrays.copyOf(bytes, bytes.length / 2));
        assertError(Path.of(file).getFileName().toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"steps\": 6 | \"steps\": 0 | steps",
        "\"steps\": 6 | \"steps\": 7 | ddim.sequential",
        "\"guidance_scale\": 2.5, | | guidance_scale",
        "\"guidance_scale\": 2.5 | \"guidance_scale\": \"much\" | guidance_scale",
        "\"model_n\": 2, \"stride\": 1, \"warm_up\": 2 | \"model_n\": 9, \"stride\": 1, \"warm_up\": 2 | 9 components",
        "\"warm_up\": 3 | \"warm_up\": 0 | warm_up",
        "\"stride\": 2, \"warm_up\": 3 | \"stride\": 4, \"warm_up\": 3 | stride is 1 or 2",
        "\"released\" | \"reused\" | stride2_form",
        "\"time_shift\": true, \"stride2_form\": null | \"time_shift\": 1 | time_shift",
        "\"ddim.paper\", \"scheduler\": \"ddim\" | \"ddim.paper\", \"scheduler\": \"euler\" | scheduler-euler",
        "\"ddim.paper\" | \"ddim.papers\" | ddim.papers"})
    void aWrongSettingIsNamed(String good, String bad, String part) throws IOException {
        Path cases = folder.resolve("cases.json");
        String text = Files.readString(cases);
        assertTrue(text.contains(good), "the test replaces what is not there");
        Files.writeString(cases, text.replaceFirst(Pattern.quote(good), bad == null ? "" : bad));
        assertError(part);
    }

    @Test
    void anInputThatTheGraphNeedsIsNamed() {
        rewrite("inputs.safetensors", tensors -> tensors.remove("encoder_hidden_states"));
        assertError("inputs.safetensors", "encoder_hidden_states");
    }

    @Test
    void conditionsOfAnotherBatchAreNamed() {
        rewrite("inputs.safetensors",
            tensors -> tensors.put("encoder_hidden_states", StoredTensor.of(Shape.of(1, 1, 2), 1, 2)));
        assertError("inputs.safetensors", "encoder_hidden_states", "[1, 1, 2]");
    }

    @Test
    void channelsThatTheGraphDoesNotTakeAreAnError() {
        rewrite("inputs.safetensors",
            tensors -> tensors.put("mask", StoredTensor.of(Shape.of(1, 1, 3, 5), new float[15])));
        assertError("sample");
    }

    @Test
    void latentsOfAnotherShapeAreNamed() {
        rewrite("expected.safetensors",
            tensors -> tensors.put("ddim.paper", StoredTensor.of(Shape.of(6, 1), new float[6])));
        assertError("expected.safetensors", "ddim.paper", "[6, 1]");
    }

    @Test
    void anUnknownCaseIsAnsweredWithTheOnesThereAre() {
        VerifyRun run = VerifyRun.of(folder, "--case", "ddim.no");
        assertTrue(run.error().getMessage().contains("no case ddim.no; there are ddim.sequential, ddim.stride1"),
            run.error().getMessage());
    }

    @Test
    void aProviderThatIsNotThereSaysWhatThereIs() {
        VerifyRun run = VerifyRun.of(folder, "--device", "abacus");
        assertTrue(run.error().getMessage().contains("abacus"), run.error().getMessage());
    }

    private interface Change {
        void apply(Map<String, StoredTensor> tensors);
    }

    private void rewrite(String name, Change change) {
        Path file = folder.resolve(name);
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            read.tensors().forEach((key, tensor) ->
                tensors.put(key, StoredTensor.of(tensor.shape(), tensor.toFloats())));
        }
        change.apply(tensors);
        SafetensorsWriter.write(file, tensors, Map.of());
    }
}
