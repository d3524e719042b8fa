package dev.slipstream.pipelines.model.original;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.CheckpointTensors;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("slow")
class OriginalLayoutFamiliesTest {
    @TempDir
    private Path folder;

    private Path model(ModelFamily family) {
        Path model = folder.resolve("model");
        ModelTemplate.of(family, true).withType(StoredType.F16).write(model);
        return model;
    }

    private Path file(ModelFamily family, Path model) {
        OriginalFile file = new OriginalFile(model);
        file.unet();
        file.vae();
        switch (family) {
            case SD15, INPAINT -> file.clip("text_encoder", "cond_stage_model.transformer.");
            case SD21 -> file.openClip("text_encoder", "cond_stage_model.model.", 1);
            case SDXL -> {
                file.clip("text_encoder", "conditioner.embedders.0.transformer.");
                file.openClip("text_encoder_2", "conditioner.embedders.1.model.", 0);
            }
            default -> file.openClip("text_encoder_2", "conditioner.embedders.0.model.", 0);
        }
        return file.write(folder.resolve("model.safetensors"));
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD15", "SD21", "SDXL", "SDXL_REFINER", "INPAINT"})
    void allComponentsOfAFileAreThoseOfTheFolder(ModelFamily family) {
        Path model = model(family);
        Path path = file(family, model);
        try (SingleFile single = SingleFile.open(path, path, new WeightStore(folder.resolve("store"), 0));
            ModelFolder plain = ModelFolder.open(model)) {
            assertTrue(single.layout().unknown().isEmpty(), single.layout().unknown().toString());
            for (Component component : Component.values()) {
                assertEquals(plain.has(component), single.has(component), component.toString());
                if (plain.has(component)) {
                    assertSame(plain.checkpoint(component), single.checkpoint(component));
                }
            }
        }
    }

    private static void assertSame(Checkpoint expected, Checkpoint actual) {
        assertEquals(new TreeSet<>(expected.weights().keySet()), new TreeSet<>(actual.weights().keySet()));
        try (CheckpointTensors wanted = new CheckpointTensors(expected);
            CheckpointTensors found = new CheckpointTensors(actual)) {
            for (String name : expected.weights().keySet()) {
                assertEquals(wanted.tensor(name).shape(), found.tensor(name).shape(), name);
                assertArrayEquals(wanted.tensor(name).data().toArray(ValueLayout.JAVA_BYTE),
                    found.tensor(name).data().toArray(ValueLayout.JAVA_BYTE), name);
            }
        }
    }

    @Test
    void quantisedWeightsAreKeptOnceAndGoWhenNobodyUsesThem() {
        Path file = folder.resolve("vae.safetensors");
        SafetensorsWriter.write(file, Map.of("decoder.conv_in.weight", new StoredTensor(StoredType.F8_E5M2, Shape.of(4),
            MemorySegment.ofArray(new byte[] {60, 64, -68, 0})),
            "decoder.mid.block_1.norm1.weight", StoredTensor.of(Shape.of(2), 1, 2)), Map.of());
        Path store = folder.resolve("store");
        for (int i = 0; i < 2; i++) {
            try (SingleFile single = SingleFile.open(file, file, new WeightStore(store, 0))) {
                try (CheckpointTensors tensors = new CheckpointTensors(single.checkpoint(Component.VAE_DECODER))) {
                    assertArrayEquals(new float[] {1, 2, -1, 0},
                        tensors.tensor("decoder.conv_in.weight").toFloats());
                }
                assertEquals(1, merges(store));
            }
        }
        // Another claim makes room.
        Path other = folder.resolve("other.safetensors");
        SafetensorsWriter.write(other, Map.of("decoder.conv_in.weight", new StoredTensor(StoredType.F8_E5M2,
            Shape.of(1), MemorySegment.ofArray(new byte[] {60})),
            "decoder.mid.block_1.norm1.weight", StoredTensor.of(Shape.of(2), 1, 2)), Map.of());
        try (SingleFile single = SingleFile.open(other, other, new WeightStore(store, 0))) {
            single.checkpoint(Component.VAE_DECODER);
            assertEquals(1, merges(store));
        }
    }

    @Test
    void matricesOfADenoiserAreComputedAsItComputes() {
        Path file = folder.resolve("flux.safetensors");
        SafetensorsWriter.write(file, Map.of("img_in.weight", new StoredTensor(StoredType.F8_E4M3, Shape.of(2, 1),
            MemorySegment.ofArray(new byte[] {0x38, 0x39})), "img_in.weight_scale", StoredTensor.of(Shape.of(), 0.1f),
            "double_blocks.0.img_attn.qkv.weight", StoredTensor.of(Shape.of(3, 1), 1, 2, 3)), Map.of());
        for (StoredType type : new StoredType[] {StoredType.F32, StoredType.BF16, StoredType.F16}) {
            WeightStore store = new WeightStore(folder.resolve("store"), Long.MAX_VALUE);
            try (SingleFile single = SingleFile.open(file, file, store, type);
                CheckpointTensors tensors = new CheckpointTensors(single.checkpoint(Component.DENOISER))) {
                StoredTensor found = tensors.tensor("x_embedder.weight");
                assertEquals(type, found.type());
                assertArrayEquals(StoredTensor.of(type, Shape.of(2), 0.1f, 1.125f * 0.1f).toFloats(),
                    found.toFloats());
                assertEquals(StoredType.F32, tensors.tensor("transformer_blocks.0.attn.to_k.weight").type());
            }
        }
    }

    private static long merges(Path store) {
        return store.toFile().listFiles(file -> file.isDirectory()).length;
    }

    @Test
    void stackedRowsThatCannotBeCutAreRefusedByName() {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put("double_blocks.0.img_attn.qkv.weight", StoredTensor.of(Shape.of(4, 1), 1, 2, 3, 4));
        tensors.put("img_in.weight", StoredTensor.of(Shape.of(1, 1), 1));
        Path file = folder.resolve("flux.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        ModelException refused = assertThrows(ModelException.class, () ->
            SingleFile.open(file, file, new WeightStore(folder, 0)));
        assertTrue(refused.getMessage().contains("double_blocks.0.img_attn.qkv.weight [4, 1] should have rows for 3"),
            refused.getMessage());
    }

    @Test
    void configurationsOfReleasedSizesAreKnown() {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put("img_in.weight", StoredTensor.of(Shape.of(3072, 64), new float[3072 * 64]));
        tensors.put("double_blocks.0.img_attn.qkv.weight", StoredTensor.of(Shape.of(3, 1), 1, 2, 3));
        Path file = folder.resolve("flux.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        WeightStore store = new WeightStore(folder.resolve("store"), 0);
        try (ModelFolder model = ModelSource.of(file).open(store, StoredType.F32)) {
            assertEquals("FluxTransformer2DModel", model.requireConfig(Component.DENOISER).text("_class_name")
                .orElseThrow());
            assertEquals("FlowMatchEulerDiscreteScheduler", model.noiseScheduler().text("_class_name").orElseThrow());
            assertEquals("FluxPipeline", model.pipelineClass().orElseThrow());
            ModelException lacking = assertThrows(ModelException.class, model::tokenizer);
            assertTrue(lacking.getMessage().contains("no tokenizer/, which is needed, too"), lacking.getMessage());
            assertTrue(Files.notExists(folder.resolve("store")));
        }
    }
}
