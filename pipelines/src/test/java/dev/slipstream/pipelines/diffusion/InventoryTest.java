package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.folder.Inventory;
import dev.slipstream.pipelines.model.folder.Inventory.FileNote.Use;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an inventory says is read is what opening a model and checking a request read, and nothing else. */
class InventoryTest {
    private static final byte[] GARBAGE = "\u0001 this is nothing".getBytes();

    private static final Path SAMPLE = Path.of("..", "samples", "model");

    @TempDir
    private Path folder;

    private void copy(Path model) throws IOException {
        try (Stream<Path> all = Files.walk(model)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(model.relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
    }

    private static void open(Path model) {
        try (PipelineSpec spec = DiffusionPipeline.of(model).devices("cpu:1").spec()) {
            spec.check(FamiliesTest.request(Family.STABLE_DIFFUSION));
        }
    }

    private Inventory inventory() {
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            return spec.inventory();
        }
    }

    @Test
    void damageMattersInTheFilesThatAreReadAndInNoOther() throws IOException {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        Files.deleteIfExists(folder.resolve("low_res_scheduler/scheduler_config.json")); // for upscalers only
        for (String other : List.of("README.md", "notes.json", "unet/diffusion_pytorch_model.bin",
            "unet/diffusion_pytorch_model.fp16.safetensors", "text_encoder/flax_model.msgpack", "tokenizer/extra.json",
            "tokenizer/spiece.model", "scheduler/other.json", "vae/optimizer.pt")) {
            Files.write(folder.resolve(other), GARBAGE);
        }
        Inventory inventory = inventory();
        for (Use use : Use.values()) {
            assertTrue(inventory.entries(use).size() > 2, inventory::toString);
        }
        for (Inventory.Entry entry : inventory.entries()) {
            Path file = folder.resolve(entry.path());
            byte[] before = Files.readAllBytes(file);
            Files.write(file, GARBAGE);
            if (entry.note().use() == Use.READ) {
                assertThrows(RuntimeException.class, () -> open(folder), entry.path());
            } else {
                assertDoesNotThrow(() -> open(folder), entry.path());
            }
            Files.write(file, before);
        }
        open(folder);
    }

    @Test
    void aPipelineTellsOnceOfFilesThatItDoesNotRead() throws IOException {
        copy(SAMPLE);
        Files.write(folder.resolve("pytorch_lora_weights.safetensors"), GARBAGE);
        List<String> told = new ArrayList<>();
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").warnings(told::add).open()) {
            assertEquals(1, told.size(), told::toString);
            assertTrue(told.getFirst().contains("pytorch_lora_weights.safetensors (an adapter; give it as a LoRA)"),
                told::toString);
            pipeline.submit(ImageRequest.of("a red star").withSteps(1)).result().join();
            assertEquals(1, told.size(), told::toString);
            assertEquals(told, pipeline.spec().warnings());
        }
    }

    @Test
    void theSampleModelIsReadWhole() {
        try (PipelineSpec spec = DiffusionPipeline.of(SAMPLE).devices("cpu:1").spec()) {
            assertEquals(List.of(), spec.warnings());
            assertEquals(1, spec.inventory().entries(Use.SILENT).size(), "the grid of pictures");
        }
    }
}
