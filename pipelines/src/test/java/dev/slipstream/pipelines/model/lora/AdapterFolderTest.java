package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.Inventory.FileNote.Use;
import dev.slipstream.pipelines.model.lora.AdapterFiles.AdapterInventory;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of adapters: parts in folders of their own, and what lies beside them. */
class AdapterFolderTest {
    private static final String TEXT_LAYER = "text_model.encoder.layers.0.self_attn.q_proj";

    @TempDir
    private Path folder;

    /** As PEFT saves a model. */
    private void part(String name, String module, double alpha) throws IOException {
        Path part = Files.createDirectories(folder.resolve(name));
        StoredTensor zeros = StoredTensor.of(Shape.of(4, 4), new float[16]);
        SafetensorsWriter.write(part.resolve("adapter_model.safetensors"), Map.of(
            "base_model.model." + module + ".lora_A.weight", zeros,
            "base_model.model." + module + ".lora_B.weight", zeros), Map.of());
        Files.writeString(part.resolve("adapter_config.json"), "{\"r\": 4, \"lora_alpha\": " + alpha + "}");
    }

    @Test
    void partsInFoldersOfTheirOwnAreOneAdapter() throws IOException {
        part("unet", "mid_block.attentions.0.to_q", 2);
        part("text_encoder", TEXT_LAYER, 4);
        part("text_encoder_2", TEXT_LAYER, 8);
        List<Lora> parts = Lora.readAll(folder);
        assertEquals(List.of(Component.DENOISER, Component.TEXT_ENCODER, Component.TEXT_ENCODER_2),
            parts.stream().flatMap(part -> part.components().stream()).toList());
        assertEquals(List.of(0.5, 1.0, 2.0), parts.stream().flatMap(part -> part.layers().values().stream())
            .map(LoraLayer::scale).toList());
        assertEquals(Stream.of("unet", "text_encoder", "text_encoder_2")
            .map(name -> name + "/adapter_model.safetensors").toList(), parts.stream().map(Lora::name).toList());
        assertEquals(3, Loras.NONE.and(parts, 0.5).list().size());
        ModelException several = assertThrows(ModelException.class, () -> Lora.read(folder));
        assertTrue(several.getMessage().contains("is no adapter's folder"), several.getMessage());
    }

    @Test
    void aFolderOfOneFileIsOnePart() throws IOException {
        part("unet", "mid_block.attentions.0.to_q", 2);
        assertEquals(List.of(Lora.read(folder.resolve("unet"))), Lora.readAll(folder.resolve("unet")));
        assertEquals(List.of(Lora.read(folder.resolve("unet"))), Lora.readAll(folder));
    }

    private Use use(String name) throws IOException {
        Path file = folder.resolve(name);
        if (name.endsWith("/")) {
            Files.createFile(Files.createDirectory(file).resolve("x"));
        } else {
            Files.createFile(file);
        }
        Path weights = folder.resolve("adapter_model.safetensors");
        return new AdapterInventory(folder, List.of(weights), List.of(folder.resolve("unet"))).take().entries()
            .stream().filter(entry -> entry.path().equals(name)).findFirst().orElseThrow().note().use();
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", ".gitattributes", "image_0.png", "config.yaml", "sample_prompts.txt",
        "training_args.bin", "optimizer.bin", "checkpoint-500/", "logs/", "adapter_model.bin", "dataset.toml"})
    void whatSaysNothingIsKnown(String name) throws IOException {
        assertEquals(Use.SILENT, use(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"embeddings.safetensors", "text_encoder/", "adapter_config.json", "learned_embeds.bin",
        "tokenizer.json"})
    void whatMaySaySomethingIsNamed(String name) throws IOException {
        assertEquals(Use.UNREAD, use(name));
    }

    @Test
    void whatIsReadIsKnown() throws IOException {
        assertEquals(Use.READ, use("adapter_model.safetensors"));
    }
}
