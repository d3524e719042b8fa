package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What PEFT's settings say about the tensors beside them. */
class AdapterConfigTest {
    private static final String MODULE = "base_model.model.mid_block.attentions.0.to_q";

    @TempDir
    private Path folder;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>(Map.of(
        MODULE + ".lora_A.weight", zeros(4, 8), MODULE + ".lora_B.weight", zeros(6, 4)));

    private static StoredTensor zeros(long... dims) {
        return StoredTensor.of(Shape.of(dims), new float[(int) Shape.of(dims).elements()]);
    }

    private Lora read(String settings) throws IOException {
        Path file = folder.resolve("adapter_model.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        Files.writeString(folder.resolve("adapter_config.json"), settings);
        Lora lora = Lora.read(folder);
        assertEquals(lora, Lora.read(file), "the folder is the same as its file");
        return lora;
    }

    private double scale(String settings) throws IOException {
        return read(settings).layers().values().iterator().next().scale();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "{'peft_type': 'LORA', 'r': 4, 'lora_alpha': 2}; 0.5",
        "{'r': 4, 'lora_alpha': 2, 'use_rslora': true}; 1",
        "{}; 2",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'to_q': 12}}; 3",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'attentions.0.to_q': 12}}; 3",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'mid_block.attentions.0.to_q': 12}}; 3",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'o_q': 12}}; 0.5",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'to_k': 12}}; 0.5",
        "{'r': 4, 'lora_alpha': 2, 'alpha_pattern': {'.*to_[qk]': 12, 'to_q': 1}}; 3",
        "{'r': 8, 'lora_alpha': 2, 'rank_pattern': {'to_q': 4}}; 0.5",
        "{'r': 4, 'lora_alpha': 2, 'fan_in_fan_out': true, 'init_lora_weights': 'gaussian', 'bias': 'none'}; 0.5"})
    void theScaleIsWhatPeftComputes(String settings, double scale) throws IOException {
        assertEquals(scale, scale(settings.replace('\'', '"')));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"'bias': 'lora_only'; bias", "'modules_to_save': ['conv_in']; modules_to_save",
        "'init_lora_weights': 'pissa_niter_4'; init_lora_weights", "'init_lora_weights': 'olora'; init_lora_weights",
        "'peft_type': 'OFT'; peft_type", "'lora_bias': true; lora_bias", "'r': 8; r",
        "'rank_pattern': {'to_q': 8}; has the rank 8.0, but it has 4",
        "'use_dora': true; lora_magnitude_vector", "'alpha_pattern': {'(': 2}; no simple regular expression",
        "'alpha_pattern': {'(.*.*.*.*.*.*.*.*.*.*)*x': 2}; no simple regular expression",
        "'lora_alpha': 'many'; lora_alpha"})
    void whatIsNotSupportedIsNamedWithItsFile(String setting, String named) {
        ModelException refused =
            assertThrows(ModelException.class, () -> read("{" + setting.replace('\'', '"') + "}"));
        assertTrue(refused.getMessage().contains("adapter_config.json") && refused.getMessage().contains(named),
            refused.getMessage());
    }

    @Test
    void anExpressionOfUnusualLengthIsRefused() {
        String longest = ".".repeat(300);
        assertDoesNotThrow(() -> read("{\"alpha_pattern\": {\"" + longest + "\": 2}}"));
        ModelException refused =
            assertThrows(ModelException.class, () -> read("{\"alpha_pattern\": {\"" + longest + ".\": 2}}"));
        assertTrue(refused.getMessage().contains("\"alpha_pattern\" has a name of 301 characters"),
            refused.getMessage());
    }

    @Test
    void settingsThatAreNotKnownAreUnknownUnlessTheySayNothing() throws IOException {
        assertEquals(List.of("the setting \"new_method\" in adapter_config.json"),
            read("{\"new_method\": true, \"newer_method\": false, \"list\": [], \"none\": null}").unknown());
    }

    @Test
    void alphaInATensorCountsBeforeTheSettings() throws IOException {
        tensors.put(MODULE + ".alpha", StoredTensor.of(Shape.of(), 20));
        assertEquals(5, scale("{\"r\": 4, \"lora_alpha\": 2}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"LOHA", "LOKR"})
    void otherMethodsOfPeftCallItAlpha(String type) throws IOException {
        tensors.clear();
        if (type.equals("LOHA")) {
            for (String half : List.of("1", "2")) {
                tensors.put(MODULE + ".hada_w" + half + "_a", zeros(6, 4));
                tensors.put(MODULE + ".hada_w" + half + "_b", zeros(4, 8));
            }
        } else {
            // Not factored at all: PEFT scales it nevertheless.
            tensors.put(MODULE + ".lokr_w1", zeros(2, 2));
            tensors.put(MODULE + ".lokr_w2", zeros(3, 4));
        }
        assertEquals(0.75, scale("{\"peft_type\": \"" + type + "\", \"r\": 4, \"alpha\": 3}"));
    }

    @Test
    void whatTheSettingsSayIsPartOfTheHash() throws IOException {
        String hash = read("{\"r\": 4, \"lora_alpha\": 2}").hash();
        assertNotEquals(hash, read("{\"r\": 4, \"lora_alpha\": 3}").hash());
        Files.delete(folder.resolve("adapter_config.json"));
        assertNotEquals(hash, Lora.read(folder).hash());
    }

    @Test
    void theNameOfTheAdapterMayStandInTheNamesOfTensors() throws IOException {
        tensors.clear();
        tensors.put(MODULE + ".lora_A.default.weight", zeros(4, 8));
        tensors.put(MODULE + ".lora_B.default.weight", zeros(6, 4));
        tensors.put(MODULE + ".lora_magnitude_vector.default.weight", zeros(6));
        Lora lora = read("{\"r\": 4, \"lora_alpha\": 2, \"use_dora\": true}");
        assertTrue(lora.layers().values().iterator().next().decomposition().isPresent());
    }

    @Test
    void settingsBesideSeveralFilesBelongToPeftsOwn() throws IOException {
        read("{\"r\": 4, \"lora_alpha\": 2}");
        Path other = folder.resolve("style.safetensors");
        SafetensorsWriter.write(other, tensors, Map.of());
        assertEquals(1, Lora.read(other).layers().values().iterator().next().scale());
        Files.delete(folder.resolve("adapter_model.safetensors"));
        assertEquals(0.5, Lora.read(other).layers().values().iterator().next().scale());
    }

    @Test
    void aFolderWithoutOneAdapterIsRefused() throws IOException {
        ModelException none = assertThrows(ModelException.class, () -> Lora.read(folder));
        assertTrue(none.getMessage().contains("is no adapter's folder"), none.getMessage());
        Path pickle = Files.createFile(folder.resolve("adapter_model.bin"));
        ModelException refused = assertThrows(ModelException.class, () -> Lora.read(folder));
        assertTrue(refused.getMessage().contains(pickle.toString()), refused.getMessage());
        for (String name : List.of("a", "b")) {
            SafetensorsWriter.write(folder.resolve(name + ".safetensors"), tensors, Map.of());
        }
        ModelException many = assertThrows(ModelException.class, () -> Lora.read(folder));
        assertTrue(many.getMessage().contains("a.safetensors, b.safetensors"), many.getMessage());
    }

    @Test
    void aFolderWithOneOfDiffusersIsRead() {
        tensors.keySet().stream().toList().forEach(name ->
            tensors.put(name.replace("base_model.model.", "unet."), tensors.remove(name)));
        SafetensorsWriter.write(folder.resolve("pytorch_lora_weights.safetensors"), tensors,
            Map.of("lora_adapter_metadata", "{\"unet.r\": 4, \"unet.lora_alpha\": 8, \"unet.use_rslora\": true}"));
        Lora lora = Lora.read(folder);
        assertEquals(4, lora.layers().values().iterator().next().scale());
        assertEquals(folder.getFileName() + "/pytorch_lora_weights.safetensors", lora.name());
        SafetensorsWriter.write(folder.resolve("pytorch_lora_weights.safetensors"), tensors,
            Map.of("lora_adapter_metadata", "{\"unet.r\": 4, \"unet.lora_alpha\": 8, \"unet.alpha_pattern\": "
                + "{\"mid_block.attentions.0.to_q\": 12}, \"text_encoder.lora_alpha\": 1}"));
        assertEquals(3, Lora.read(folder).layers().values().iterator().next().scale());
    }
}
