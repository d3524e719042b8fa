package dev.slipstream.pipelines.model.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.config.LatentScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {
    @TempDir
    private Path folder;

    private Path put(String name, String contents) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, contents);
    }

    private static String failure(Executable action) {
        return assertThrows(ModelException.class, action).getMessage();
    }

    private static void assertSays(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "\"" + part + "\" should be in: " + message);
        }
    }

    private void wholeModel() throws IOException {
        put("model_index.json", "{\"_class_name\": \"StableDiffusionPipeline\"}");
        put("text_encoder/model.onnx", "x");
        put("unet/model.onnx", "x");
        put("unet/config.json", "{\"in_channels\": 12, \"sample_size\": 16, \"cross_attention_dim\": 64}");
        put("vae_decoder/model.onnx", "x");
        put("vae_decoder/config.json",
            "{\"block_out_channels\": [3, 12], \"latent_channels\": 12, \"scaling_factor\":1, \"shift_factor\":null}");
        put("scheduler/scheduler_config.json", "{\"_class_name\": \"DDIMScheduler\", \"clipped\": -Infinity}");
        put("tokenizer/tokenizer.json", "{}");
    }

    @Test
    void findsTheComponentsOfAWholeModel() throws IOException {
        wholeModel();
        ModelFolder model = ModelFolder.open(folder);
        assertEquals(Optional.of("StableDiffusionPipeline"), model.pipelineClass());
        assertEquals(folder.resolve("unet/model.onnx"), model.require(Component.DENOISER));
        assertEquals(folder.resolve("tokenizer"), model.tokenizer());
        assertTrue(model.has(Component.TEXT_ENCODER));
        assertFalse(model.has(Component.TEXT_ENCODER_2));
        assertEquals(folder.resolve("tokenizer"), model.tokenizer(Component.TEXT_ENCODER_2));
        assertEquals(Optional.empty(), model.cuts());
        assertEquals(Optional.of("DDIMScheduler"), model.noiseScheduler().text("_class_name"));
    }

    @Test
    void readsWhatGenerationMustKnow() throws IOException {
        wholeModel();
        ModelFolder model = ModelFolder.open(folder);
        assertEquals(new DenoiserConfig(12, 12, 16, 16, OptionalInt.of(64)), model.denoiserConfig());
        assertEquals(new DecoderConfig(LatentScaling.of(1, 0), 12, 2, 64), model.decoderConfig());
    }

    @Test
    void readsHeightBeforeWidthAndOneWidthForAllBlocks() throws IOException {
        put("unet/config.json", "{\"in_channels\": 9, \"out_channels\": 4, \"sample_size\": [64, 96],"
            + "\"cross_attention_dim\": [8, 8]}");
        assertEquals(new DenoiserConfig(9, 4, 64, 96, OptionalInt.of(8)), ModelFolder.open(folder).denoiserConfig());
    }

    @Test
    void tilesAreAsLargeAsTheLatentsThatADecoderWasTrainedOn() throws IOException {
        put("vae_decoder/model.onnx", "x");
        put("vae_decoder/config.json", "{\"block_out_channels\": [1, 2, 3], \"sample_size\": [96, 64]}");
        assertEquals(24, ModelFolder.open(folder).decoderConfig().tileSide());
        put("vae_decoder/config.json", "{\"block_out_channels\": [1, 2, 3], \"sample_size\": []}");
        assertSays(failure(ModelFolder.open(folder)::decoderConfig), "\"sample_size\" must be a number");
    }

    @Test
    void usesTheDefaultsOfStableDiffusionForADecoderWithoutConfiguration() throws IOException {
        put("vae_decoder/model.onnx", "x");
        assertEquals(new DecoderConfig(LatentScaling.of(0.18215, 0), 4, 8, 64),
            ModelFolder.open(folder).decoderConfig());
    }

    @Test
    void acceptsAFolderWithOnlyADenoiserAndNamedNoiseSchedulers() throws IOException {
        put("unet/model.onnx", "x");
        put("scheduler-ddim/scheduler_config.json", "{\"_class_name\": \"DDIMScheduler\"}");
        ModelFolder model = ModelFolder.open(folder);
        assertEquals(Optional.empty(), model.pipelineClass());
        assertEquals(Optional.of("DDIMScheduler"), model.noiseScheduler("ddim").text("_class_name"));
        assertSays(failure(() -> model.require(Component.VAE_DECODER)), "vae_decoder/", folder.toString());
        assertSays(failure(model::tokenizer), "tokenizer/");
        assertSays(failure(model::noiseScheduler), "scheduler_config.json is missing");
        assertSays(failure(model::denoiserConfig), "config.json is missing");
    }

    @Test
    void findsATransformer() throws IOException {
        put("transformer/model.onnx", "x");
        assertEquals(folder.resolve("transformer/model.onnx"), ModelFolder.open(folder).require(Component.DENOISER));
    }

    @Test
    void saysWhatAFolderIsThatIsNoModel() throws IOException {
        assertSays(failure(() -> ModelFolder.open(folder.resolve("nowhere"))), "there is no model folder");
        assertSays(failure(() -> ModelFolder.open(folder)), "it is empty");
        put("notes.txt", "x");
        assertSays(failure(() -> ModelFolder.open(folder)), "neither model_index.json nor unet/", "notes.txt");
        assertSays(failure(() -> ModelFolder.open(folder.resolve("notes.txt"))), "is a file; give the folder");
        put("v1-5.safetensors", "x");
        assertSays(failure(() -> ModelFolder.open(folder)), "v1-5.safetensors", "model convert");
        assertSays(failure(() -> ModelFolder.open(folder.resolve("v1-5.safetensors"))), "model convert");
        put("model.onnx", "x");
        assertSays(failure(() -> ModelFolder.open(folder)), "holds one component", "give the folder above it");
    }

    @Test
    void saysThatAFolderIsOnlyAComponentsCheckpoint() throws IOException {
        put("config.json", "{}");
        put("diffusion_pytorch_model.safetensors", "x");
        assertSays(failure(() -> ModelFolder.open(folder)), "holds one component", "give the folder above it");
    }

    @Test
    void saysHowOtherCheckpointsBecomeOnesThatAreRead() throws IOException {
        put("model_index.json", "{}");
        put("unet/lora.safetensors", "x");
        put("vae_decoder/diffusion_pytorch_model.bin", "x");
        put("text_encoder/model.safetensors", "x");
        ModelFolder model = ModelFolder.open(folder);
        assertSays(failure(() -> model.require(Component.DENOISER)), "no model.onnx, only lora.safetensors",
            "diffusion_pytorch_model");
        assertSays(failure(() -> model.require(Component.VAE_DECODER)), "diffusion_pytorch_model.bin is a pickle",
            "safe_serialization=True");
        assertSays(failure(() -> model.require(Component.TEXT_ENCODER)), "no model.onnx, but a checkpoint");
    }

    @Test
    void saysWhenAFileWasNotDownloaded() throws IOException {
        String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
        put("unet/model.onnx", "x");
        put("unet/model.onnx_data", pointer);
        put("vae_decoder/model.onnx", "");
        put("text_encoder/readme", "");
        put("unet/config.json", pointer);
        ModelFolder model = ModelFolder.open(folder);
        assertSays(failure(() -> model.require(Component.DENOISER)), "model.onnx_data", "git lfs pull");
        assertSays(failure(() -> model.require(Component.VAE_DECODER)), "model.onnx is empty");
        assertSays(failure(() -> model.require(Component.TEXT_ENCODER)), "model.onnx is missing", "has only readme");
        assertSays(failure(model::denoiserConfig), "config.json", "git lfs pull");
    }

    @Test
    void namesTheSettingThatIsWrong() throws IOException {
        put("unet/config.json", "{\"in_channels\": \"four\", \"sample_size\": 64}");
        ModelFolder model = ModelFolder.open(folder);
        assertSays(failure(model::denoiserConfig), "unet/config.json: \"in_channels\" must be a number, not \"four\"");
        put("unet/config.json", "{\"in_channels\": 4}");
        assertSays(failure(model::denoiserConfig), "\"sample_size\" is missing");
        put("unet/config.json", "{\"in_channels\": 4, \"sample_size\": [1, 2, 3]}");
        assertSays(failure(model::denoiserConfig), "\"sample_size\" must be a number or [height, width]");
        put("unet/config.json", "{\"in_channels\": 0, \"sample_size\": 64}");
        assertSays(failure(model::denoiserConfig), "\"in_channels\" must be a positive whole number", ", not 0");
        put("unet/config.json", "{\"in_channels\": 1000000000, \"sample_size\": 64}");
        assertSays(failure(model::denoiserConfig), "\"in_channels\" must be", "at most 1000000, not 1000000000");
        put("unet/config.json", "{\"in_channels\": 4, \"sample_size\": 64, \"cross_attention_dim\": [1, 2]}");
        assertSays(failure(model::denoiserConfig), "\"cross_attention_dim\" must be the same");
        put("vae_decoder/config.json", "{\"block_out_channels\": 3}");
        assertSays(failure(model::decoderConfig), "\"block_out_channels\" must be a list");
        put("vae_decoder/config.json", "{\"scaling_factor\": 0}");
        assertSays(failure(model::decoderConfig), "\"scaling_factor\" must not be 0");
    }

    @Test
    void readsTheReferenceFolders() {
        Path reference = ReferenceFiles.orSkip("reference", "sd21");
        ModelFolder model = ModelFolder.open(reference);
        assertEquals(new DenoiserConfig(4, 4, 16, 16, OptionalInt.of(32)), model.denoiserConfig());
        assertTrue(Files.isRegularFile(model.require(Component.DENOISER)));
        assertEquals(Optional.of("epsilon"), model.noiseScheduler("ddim").text("prediction_type"));
    }
}
