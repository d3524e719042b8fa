package dev.slipstream.samples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Wrong input is exit code 2 and one line that names what is wrong. */
class RunErrorsTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        ComponentFolders.copy("clip_bare", folder);
    }

    private void assertRefused(String... parts) {
        assertRefused(ComponentFolders.check(folder, "1e-4"), parts);
    }

    private static void assertRefused(CommandRun run, String... parts) {
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.out() + run.err());
        assertEquals(1, run.complaints().size(), run.err());
        for (String part : parts) {
            assertTrue(run.err().contains(part), run.err());
        }
    }

    private void changeInputs(Consumer<Map<String, StoredTensor>> change) {
        ComponentFolders.change(folder.resolve("inputs.safetensors"), change);
    }

    private void changeExpected(Consumer<Map<String, StoredTensor>> change) {
        ComponentFolders.change(folder.resolve("expected.safetensors"), change);
    }

    private void changeConfig(String good, String bad) throws IOException {
        Path config = folder.resolve("config.json");
        String text = Files.readString(config);
        assertTrue(text.contains(good), "the test replaces what is not there");
        Files.writeString(config, text.replace(good, bad));
    }

    @Test
    void anInputThatIsMissingIsNamed() {
        changeInputs(Map::clear);
        assertRefused("inputs.safetensors lacks input_ids, which the text encoder needs");
    }

    @Test
    void anInputThatNothingTakesIsNamed() {
        changeInputs(tensors -> tensors.put("attention_mask", tensors.get("input_ids")));
        assertRefused("inputs.safetensors has attention_mask, which nothing takes; inputs are input_ids");
    }

    @Test
    void anInputOfAnotherShapeIsNamed() {
        changeInputs(tensors -> tensors.put("input_ids",
            new StoredTensor(tensors.get("input_ids").type(), Shape.of(27), tensors.get("input_ids").data())));
        assertRefused("'input_ids'", "[27]", "batch_size, sequence_length");
    }

    @Test
    void fractionsAreNoTokenIds() {
        changeInputs(tensors -> tensors.put("input_ids", StoredTensor.of(Shape.of(1, 2), 3, 4.5f)));
        assertRefused("input_ids", "fractions");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, -0.5f})
    void whatIsNoWholeNumberIsNoTokenId(float id) {
        changeInputs(tensors -> tensors.put("input_ids", StoredTensor.of(Shape.of(1, 2), 3, id)));
        assertRefused("input_ids", "no number");
    }

    @Test
    void anInputWithoutElementsIsNamed() {
        changeInputs(tensors -> tensors.put("input_ids", StoredTensor.of(Shape.of(0, 2))));
        assertRefused("input input_ids of", "has no elements");
    }

    @Test
    void aNumberThatIsNoneIsNeverWhatWasExpected() {
        changeExpected(tensors -> tensors.put("pooler_output", StoredTensor.of(Shape.of(3, 8), nans(24))));
        CommandRun run = ComponentFolders.check(folder, "1e9");
        assertEquals(ExitCode.FAILED, run.code(), run.err());
        assertTrue(run.out().contains("NaN"), run.out());
    }

    private static float[] nans(int count) {
        float[] values = new float[count];
        Arrays.fill(values, Float.NaN);
        return values;
    }

    @Test
    void aPickleIsRefusedByName() throws IOException {
        Files.move(folder.resolve("model.safetensors"), folder.resolve("pytorch_model.bin"));
        assertRefused("pytorch_model.bin is a pickle", "safe_serialization=True");
    }

    @Test
    void aShardThatIsMissingIsNamed() throws IOException {
        Files.delete(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("model.safetensors.index.json"),
            "{\"weight_map\": {\"a\": \"model-00002-of-00002.safetensors\"}}");
        assertRefused("model-00002-of-00002.safetensors is missing", "download it again");
    }

    @Test
    void aFileOfACheckpointIsNotItsFolder() {
        assertRefused(CommandRun.of("run", folder.resolve("model.safetensors").toString(), "--inputs", "x"),
            "one file of a checkpoint; give the folder");
    }

    @Test
    void aFolderIsNoFileOfInputs() {
        assertRefused(CommandRun.of("run", folder.toString(), "--inputs", folder.toString()), "is a folder");
    }

    @Test
    void anEmptyFolderIsRefused(@TempDir Path empty) {
        assertRefused(CommandRun.of("run", empty.toString(), "--inputs", "x"), "neither a model.onnx nor a");
    }

    @Test
    void moreTokensThanTheModelHasPositionsForAreRefused() {
        changeInputs(tensors -> tensors.put("input_ids", StoredTensor.of(Shape.of(1, 10), new float[10])));
        assertRefused("/embeddings/Add");
    }

    @Test
    void anOutputThatNothingMakesIsNamed() {
        changeExpected(tensors -> tensors.put("text_embeds", tensors.get("pooler_output")));
        assertRefused("no output is called text_embeds; outputs are last_hidden_state, pooler_output");
    }

    @Test
    void anExpectedOutputOfAnotherShapeIsNamed() {
        changeExpected(tensors -> tensors.put("pooler_output", StoredTensor.of(Shape.of(1), 0)));
        assertRefused("expected.safetensors has pooler_output as [1]", "becomes [3, 8]");
    }

    @Test
    void nothingToCompareWithIsAnError() {
        changeExpected(Map::clear);
        assertRefused("expected.safetensors is empty");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"gelu_new\" | \"selu\" | hidden_act",
        "\"num_hidden_layers\": 1 | \"num_hidden_layers\": 2 | lacks 16 weights",
        "\"hidden_size\": 8 | \"hidden_size\": 16 | should be [48, 16]",
        "\"hidden_size\": 8 | \"hidden_size\": 12 | num_attention_heads",
        "\"clip_text_model\" | \"t5\" | does not say what it describes",
        "\"model_type\" | \"architectures\": [\"CLIPModel\"], \"model_type\" | CLIPModel",
        "\"model_type\" | \"_class_name\": \"AutoencoderOobleck\", \"model_type\" | AutoencoderOobleck",
        "\"model_type\" | \"text_config\": {}, \"model_type\" | text_config",
        "\"model_type\" | \"quantization_config\": {\"bits\": 4}, \"model_type\" | quantization_config"})
    void aSettingThatCannotBeFollowedIsNamed(String good, String bad, String part) throws IOException {
        changeConfig(good, bad);
        assertRefused(part);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"sample_posterior\": true, | sample_posterior",
        "{\"act_fn\": \"selu\", | act_fn",
        "{\"layers_per_block\": 2, | lacks 24 weights"})
    void anOptionOfAnAutoencoderThatCannotBeFollowedIsNamed(String begin, String part, @TempDir Path other)
        throws IOException {
        ComponentFolders.copy("vae_plain", other);
        Path config = other.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", begin));
        assertRefused(ComponentFolders.check(other, "1e-4"), part);
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "inputs.safetensors", "expected.safetensors", "model.safetensors"})
    void aFileThatIsMissingIsNamed(String file) throws IOException {
        Files.delete(folder.resolve(file));
        assertRefused(file.equals("model.safetensors") ? "neither diffusion_pytorch_model.safetensors nor" : file);
    }

    @Test
    void aFolderThatIsMissingIsNamed() {
        assertRefused(CommandRun.of("run", folder.resolve("none").toString(), "--inputs", "x"), "no folder", "none");
    }

    @Test
    void aGraphThatIsAskedForMustBeThere() {
        assertRefused(ComponentFolders.run(folder, "--from", "onnx"), "has no model.onnx; leave out --from");
    }

    @Test
    void aToleranceBelowNothingIsRefused() {
        assertRefused(ComponentFolders.check(folder, "-1"), "--tolerance");
    }
}
