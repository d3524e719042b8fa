package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models in one file draw what the same weights in a folder draw. */
@Tag("slow")
@Timeout(120)
class SingleFileTest {
    @TempDir
    private static Path temporary;
    private static String stored;

    /** What is computed or merged goes into a folder of the test's own. */
    @BeforeAll
    static void keepToOneself() {
        stored = System.setProperty(WeightStore.FOLDER_PROPERTY, temporary.resolve("store").toString());
    }

    @AfterAll
    static void undo() {
        if (stored == null) {
            System.clearProperty(WeightStore.FOLDER_PROPERTY);
        } else {
            System.setProperty(WeightStore.FOLDER_PROPERTY, stored);
        }
    }

    private static byte[] draw(DiffusionPipeline.Builder model, String prompt) {
        try (DiffusionPipeline pipeline = model.devices("cpu:1").plan("sequential").open()) {
            return pipeline.submit(ImageRequest.of(prompt).withSteps(2).withSeed(3).withSize(64, 64)).result().join()
                .image().rgb();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sdxl"})
    void fileAndFolderDrawTheSamePicture(String name) {
        Path home = ReferenceFiles.orSkip("reference-files", name);
        Path folder = home.resolve("diffusers");
        byte[] expected = draw(DiffusionPipeline.of(folder), "a cat");
        assertArrayEquals(expected,
            draw(DiffusionPipeline.of(home.resolve(name + ".safetensors")).config(folder), "a cat"));
    }

    @Test
    void aFileWithThreeTextEncodersDrawsThePictureOfTheFolder() throws IOException {
        Path home = ReferenceFiles.orSkip("reference-files", "sd3_medium");
        Path tokenizer = ReferenceFiles.orSkip("reference-components", "tokenizer_t5");
        Path folder = temporary.resolve("sd3");
        copy(home.resolve("diffusers"), folder);
        Path file = home.resolve("sd3_medium.safetensors");
        ModelException lacking = assertThrows(ModelException.class, () ->
            DiffusionPipeline.of(file).config(folder).spec());
        assertTrue(lacking.getMessage().contains("tokenizer_3/"), lacking.getMessage());
        copy(tokenizer, folder.resolve("tokenizer_3"));
        assertArrayEquals(draw(DiffusionPipeline.of(folder), "a cat"),
            draw(DiffusionPipeline.of(file).config(folder), "a cat"));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : all.toList()) {
                Path target = to.resolve(from.relativize(each).toString());
                if (Files.isDirectory(each)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(each, target);
                }
            }
        }
    }

    @Test
    void loRasAreMergedIntoAFileAsIntoAFolder() {
        Path home = ReferenceFiles.orSkip("reference-files", "sd15");
        Path folder = home.resolve("diffusers");
        Path lora = temporary.resolve("lora.safetensors");
        SafetensorsWriter.write(lora, Map.of(
            "lora_unet_time_embedding_linear_1.lora_down.weight", StoredTensor.of(Shape.of(1, 4), 1, 2, 3, 4),
            "lora_unet_time_embedding_linear_1.lora_up.weight", StoredTensor.of(Shape.of(16, 1), new float[16]),
            "lora_unet_down_blocks_0_resnets_0_conv1.diff_b", StoredTensor.of(Shape.of(4), 3, -1, 2, 5)), Map.of());
        byte[] plain = draw(DiffusionPipeline.of(folder), "a cat");
        byte[] merged = draw(DiffusionPipeline.of(folder).lora(lora, 1), "a cat");
        assertFalse(Arrays.equals(plain, merged));
        assertArrayEquals(merged,
            draw(DiffusionPipeline.of(home.resolve("sd15.safetensors")).config(folder).lora(lora, 1), "a cat"));
    }

    @Test
    void theAutoencoderOfAFileIsTaken() {
        Path home = ReferenceFiles.orSkip("reference-files", "sd15");
        // Its autoencoder has the same sizes as SDXL's of the tiny model, and other weights.
        Path other = ReferenceFiles.orSkip("reference-files", "sdxl", "diffusers", "vae",
            "diffusion_pytorch_model.safetensors");
        byte[] own = draw(DiffusionPipeline.of(home.resolve("diffusers")), "a cat");
        byte[] taken = draw(DiffusionPipeline.of(home.resolve("diffusers")).vae(other), "a cat");
        assertFalse(Arrays.equals(own, taken));
        assertArrayEquals(taken, draw(DiffusionPipeline.of(home.resolve("sd15.safetensors"))
            .config(home.resolve("diffusers")).vae(other), "a cat"));
    }

    @Test
    void aWordOfTextualInversionChangesThePictureWhereThePromptHasIt() {
        Path folder = ReferenceFiles.orSkip("reference-files", "sd15", "diffusers");
        Path word = ReferenceFiles.orSkip("reference-files", "ti_sd15", "cat-toy.safetensors");
        byte[] plain = draw(DiffusionPipeline.of(folder), "a photo of a <cat-toy>");
        assertFalse(Arrays.equals(plain,
            draw(DiffusionPipeline.of(folder).embedding(word, ""), "a photo of a <cat-toy>")));
        assertArrayEquals(draw(DiffusionPipeline.of(folder), "a dog"),
            draw(DiffusionPipeline.of(folder).embedding(word, ""), "a dog"));
    }

    @Test
    void whatAFileLacksIsSaidWithWhatSuppliesIt() {
        Path home = ReferenceFiles.orSkip("reference-files", "flux_dev");
        ModelException lacking = assertThrows(ModelException.class, () ->
            DiffusionPipeline.of(home.resolve("flux_dev.safetensors")).spec());
        assertTrue(lacking.getMessage().contains("has transformer and no ")
            && lacking.getMessage().contains("--config DIR"), lacking.getMessage());
        Path nowhere = home.resolve("nowhere");
        assertFalse(Files.exists(nowhere));
        assertThrows(ModelException.class, () ->
            DiffusionPipeline.of(home.resolve("flux_dev.safetensors")).config(nowhere).spec());
    }
}
