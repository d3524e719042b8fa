package dev.slipstream.pipelines.model.folder;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The files of well-known published models, by their names: none of them is worth a warning. */
class PublishedFoldersTest {
    private static final String TOKENIZER = "merges.txt vocab.json special_tokens_map.json tokenizer_config.json";
    private static final String WEIGHTS = "config.json diffusion_pytorch_model.bin diffusion_pytorch_model.safetensors "
        + "diffusion_pytorch_model.fp16.bin diffusion_pytorch_model.fp16.safetensors";
    private static final String TEXT = "config.json pytorch_model.bin model.safetensors pytorch_model.fp16.bin "
        + "model.fp16.safetensors";

    @TempDir
    private Path top;

    /** Under {@code DIR/}, the names behind it. */
    static Stream<Arguments> folders() {
        return Stream.of(
            Arguments.of("Stable Diffusion 1.5", ". README.md .gitattributes LICENSE.md model_index.json "
                + "v1-5-pruned.ckpt v1-5-pruned.safetensors v1-5-pruned-emaonly.ckpt v1-5-pruned-emaonly.safetensors "
                + "v1-inference.yaml "
                + "feature_extractor/ preprocessor_config.json safety_checker/ " + TEXT + " scheduler/ "
                + "scheduler_config.json text_encoder/ " + TEXT + " flax_model.msgpack tokenizer/ " + TOKENIZER
                + " unet/ " + WEIGHTS + " diffusion_pytorch_model.non_ema.bin "
                + "diffusion_pytorch_model.non_ema.safetensors diffusion_flax_model.msgpack vae/ " + WEIGHTS
                + " diffusion_flax_model.msgpack"),
            Arguments.of("Stable Diffusion 2.1", ". README.md .gitattributes model_index.json "
                + "v2-1_768-ema-pruned.ckpt v2-1_768-ema-pruned.safetensors v2-1_768-nonema-pruned.ckpt "
                + "v2-1_768-nonema-pruned.safetensors feature_extractor/ preprocessor_config.json scheduler/ "
                + "scheduler_config.json text_encoder/ " + TEXT + " tokenizer/ " + TOKENIZER + " unet/ " + WEIGHTS
                + " vae/ " + WEIGHTS),
            Arguments.of("Stable Diffusion XL", ". 01.png LICENSE.md README.md comparison.png pipeline.png "
                + ".gitattributes model_index.json sd_xl_base_1.0.safetensors sd_xl_base_1.0_0.9vae.safetensors "
                + "scheduler/ scheduler_config.json text_encoder/ config.json flax_model.msgpack "
                + "model.fp16.safetensors model.safetensors openvino_model.bin openvino_model.xml text_encoder_2/ "
                + "config.json flax_model.msgpack model.fp16.safetensors model.safetensors openvino_model.bin "
                + "openvino_model.xml tokenizer/ " + TOKENIZER + " tokenizer_2/ " + TOKENIZER + " unet/ config.json "
                + "diffusion_flax_model.msgpack diffusion_pytorch_model.fp16.safetensors "
                + "diffusion_pytorch_model.safetensors openvino_model.bin openvino_model.xml vae/ config.json "
                + "diffusion_flax_model.msgpack diffusion_pytorch_model.fp16.safetensors "
                + "diffusion_pytorch_model.safetensors"),
            Arguments.of("the refiner of Stable Diffusion XL", ". LICENSE.md README.md .gitattributes 01.png "
                + "model_index.json sd_xl_refiner_1.0.safetensors sd_xl_refiner_1.0_0.9vae.safetensors scheduler/ "
                + "scheduler_config.json text_encoder_2/ config.json model.fp16.safetensors model.safetensors "
                + "tokenizer_2/ " + TOKENIZER + " unet/ config.json diffusion_pytorch_model.fp16.safetensors "
                + "diffusion_pytorch_model.safetensors vae/ config.json diffusion_pytorch_model.fp16.safetensors "
                + "diffusion_pytorch_model.safetensors"),
            Arguments.of("inpainting", ". README.md config.json .gitattributes model_index.json "
                + "512-inpainting-ema.ckpt 512-inpainting-ema.safetensors merged-leopards.png feature_extractor/ "
                + "preprocessor_config.json scheduler/ scheduler_config.json text_encoder/ " + TEXT
                + " tokenizer/ " + TOKENIZER + " unet/ " + WEIGHTS + " vae/ " + WEIGHTS),
            Arguments.of("the upscaler by 4", ". README.md .gitattributes low_res_cat.png model_index.json "
                + "upsampled_cat.png x4-upscaler-ema.ckpt x4-upscaler-ema.safetensors low_res_scheduler/ "
                + "scheduler_config.json scheduler/ scheduler_config.json text_encoder/ " + TEXT + " tokenizer/ "
                + TOKENIZER + " unet/ " + WEIGHTS + " vae/ " + WEIGHTS),
            Arguments.of("a model of latent consistency", ". README.md .gitattributes .mdl .msc .mv model_index.json "
                + "configuration.json LCM_Dreamshaper_v7_4k.safetensors lcm_logo.png speed_fid.png teaser.png "
                + "feature_extractor/ preprocessor_config.json safety_checker/ config.json model.safetensors "
                + "scheduler/ scheduler_config.json text_encoder/ "
                + "config.json model.safetensors tokenizer/ " + TOKENIZER + " unet/ config.json "
                + "diffusion_pytorch_model.safetensors vae/ config.json diffusion_pytorch_model.safetensors"),
            Arguments.of("graphs of Optimum", ". README.md .gitattributes model_index.json feature_extractor/ "
                + "preprocessor_config.json safety_checker/ model.onnx scheduler/ scheduler_config.json text_encoder/ "
                + "config.json model.onnx text_encoder_2/ config.json model.onnx model.onnx_data tokenizer/ "
                + TOKENIZER + " tokenizer_2/ " + TOKENIZER + " unet/ config.json model.onnx model.onnx_data "
                + "vae_decoder/ config.json model.onnx vae_encoder/ config.json model.onnx"),
            Arguments.of("a model with its graphs", ". README.md model_index.json scheduler/ scheduler_config.json "
                + "text_encoder/ config.json model.onnx model.safetensors openvino_model.bin tokenizer/ " + TOKENIZER
                + " unet/ " + WEIGHTS + " model.onnx model.onnx_data openvino_model.xml vae/ " + WEIGHTS
                + " vae_decoder/ config.json model.onnx openvino_model.bin openvino_model.xml vae_encoder/ config.json "
                + "model.onnx openvino_model.bin openvino_model.xml"));
    }

    /** Whole models are larger than their parts. */
    private void write(String files) throws IOException {
        String folder = "";
        for (String name : files.split(" ")) {
            if (name.equals(".") || name.endsWith("/")) {
                folder = name.equals(".") ? "" : name;
                Files.createDirectories(top.resolve(folder));
            } else {
                Files.write(top.resolve(folder + name), new byte[folder.isEmpty() ? 100 : 10]);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void noFileOfAPublishedModelIsWorthAWarning(String name, String files) throws IOException {
        write(files);
        assertEquals(List.of(), ModelInventory.of(ModelFolder.open(top), Set.of()).warnings());
    }
}
