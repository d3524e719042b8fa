package dev.slipstream.pipelines.model.folder;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/**
 * Whole model folders of each family, as diffusers saves them, with tiny random weights. JSON is written with single
 * quotes.
 */
public record RandomModel(Path path) {
    /** ! to ~, then the same at the end of a word, start and end: the tokens of {@link #tokenizer}. */
    private static final int SIGNS = '~' - '!' + 1;
    private static final int VOCABULARY = 2 * SIGNS + 2;
    private static final String SCHEDULE = "'num_train_timesteps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012, "
        + "'beta_schedule': 'scaled_linear', 'clip_sample': false, 'set_alpha_to_one': false, 'steps_offset': 1, "
        + "'prediction_type': 'epsilon', 'timestep_spacing': 'leading'";
    private static final String BLOCKS = "'block_out_channels': [8, 8, 8, 8], 'layers_per_block': 1, "
        + "'down_block_types': "
        + "['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'], "
        + "'up_block_types': ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'], ";
    private static final int TEXT = 8;
    private static final int LATENTS = 8;

    public enum Family {
        STABLE_DIFFUSION("StableDiffusionPipeline", BLOCKS + "'in_channels': 4, 'cross_attention_dim': 8"),
        LATENT_CONSISTENCY("LatentConsistencyModelPipeline",
            BLOCKS + "'in_channels': 4, 'cross_attention_dim': 8, 'time_cond_proj_dim': 6"),
        INPAINTING("StableDiffusionInpaintPipeline",
            BLOCKS + "'in_channels': 9, 'out_channels': 4, 'cross_attention_dim': 8"),
        UPSCALER("StableDiffusionUpscalePipeline", BLOCKS + "'in_channels': 7, 'out_channels': 4, "
            + "'cross_attention_dim': 8, 'num_class_embeds': 1000"),
        SDXL("StableDiffusionXLPipeline", xl(6)),
        REFINER("StableDiffusionXLImg2ImgPipeline", xl(5));

        private final String pipeline;
        private final String denoiser;

        Family(String pipeline, String denoiser) {
            this.pipeline = pipeline;
            this.denoiser = denoiser;
        }

        /** @param sizes that the denoiser is told; the refiner has only the second text encoder */
        private static String xl(int sizes) {
            return "'block_out_channels': [8, 8, 8], 'layers_per_block': 1, "
                + "'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'], "
                + "'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], 'in_channels': 4, "
                + "'cross_attention_dim': " + (sizes == 6 ? 2 * TEXT : TEXT) + ", 'addition_embed_type': 'text_time', "
                + "'addition_time_embed_dim': 4, 'projection_class_embeddings_input_dim': " + (TEXT + 4 * sizes);
        }

        private boolean hasSecondEncoder() {
            return this == SDXL || this == REFINER;
        }
    }

    /** Writes a folder. */
    public static RandomModel write(Path path, Family family) {
        RandomModel model = new RandomModel(path);
        model.json("model_index.json", "{'_class_name': '" + family.pipeline + "'}");
        model.json("scheduler/scheduler_config.json", "{'_class_name': 'DDIMScheduler', " + SCHEDULE + "}");
        model.json("low_res_scheduler/scheduler_config.json",
            "{'_class_name': 'DDPMScheduler', 'clip_sample': true, 'beta_schedule': 'scaled_linear'}");
        model.component("unet", "{'_class_name': 'UNet2DConditionModel', 'norm_num_groups': 4, "
            + "'attention_head_dim': 2, 'sample_size': " + LATENTS + ", " + family.denoiser + "}", UNet::weights);
        // Three blocks for upscalers, as theirs have; they say 4 pixels a latent, two blocks 2.
        String channels = family == Family.UPSCALER ? "[4, 4, 4]" : "[4, 4]";
        String blocks = family == Family.UPSCALER ? "3" : "2";
        model.component("vae", "{'_class_name': 'AutoencoderKL', 'norm_num_groups': 2, 'layers_per_block': 1, "
            + "'latent_channels': 4, 'block_out_channels': " + channels + ", 'down_block_types': "
            + types("DownEncoderBlock2D", blocks) + ", 'up_block_types': " + types("UpDecoderBlock2D", blocks)
            + ", 'mid_block_add_attention': false}", AutoencoderKl::weights);
        if (family != Family.REFINER) {
            model.text("", "CLIPTextModel", "<|endoftext|>");
        }
        if (family.hasSecondEncoder()) {
            model.text("_2", "CLIPTextModelWithProjection", "!");
        }
        return model;
    }

    private static String types(String block, String count) {
        return "['" + block + "'" + (", '" + block + "'").repeat(Integer.parseInt(count) - 1) + "]";
    }

    private void text(String number, String className, String padding) {
        component("text_encoder" + number, "{'architectures': ['" + className + "'], 'vocab_size': " + VOCABULARY
            + ", 'hidden_size': " + TEXT + ", 'intermediate_size': 8, 'num_hidden_layers': 3, "
            + "'num_attention_heads': 2, 'max_position_embeddings': 12, 'projection_dim': " + TEXT
            + ", 'eos_token_id': " + (VOCABULARY - 1) + "}", ClipTextModel::weights);
        String folder = "tokenizer" + number + "/";
        JsonObject vocabulary = new JsonObject();
        for (int sign = 0; sign < SIGNS; sign++) {
            vocabulary.addProperty(Character.toString('!' + sign), sign);
            vocabulary.addProperty(Character.toString('!' + sign) + "</w>", SIGNS + sign);
        }
        vocabulary.addProperty("<|startoftext|>", VOCABULARY - 2);
        vocabulary.addProperty("<|endoftext|>", VOCABULARY - 1);
        put(folder + "vocab.json", vocabulary.toString());
        put(folder + "merges.txt", "#version: 0.2\n");
        json(folder + "tokenizer_config.json", "{'model_max_length': 12, 'pad_token': '" + padding + "'}");
    }

    /** Writes configuration and weights of a component anew. */
    private void component(String folder, String config, Function<ConfigFile, Map<String, Shape>> weights) {
        json(folder + "/config.json", config);
        new RandomCheckpoint(weights.apply(ConfigFile.read(path.resolve(folder).resolve("config.json"))))
            .write(path.resolve(folder));
    }

    /** Writes a file, with double quotes for single ones. */
    public void json(String name, String json) {
        put(name, JsonParser.parseString(json.replace('\'', '"')).toString());
    }

    /** Changes an entry of a file in JSON. */
    public RandomModel change(String name, String key, Object value) {
        JsonObject changed = ConfigFile.read(path.resolve(name)).root().deepCopy();
        changed.add(key, new Gson().toJsonTree(value));
        put(name, changed.toString());
        return this;
    }

    private void put(String name, String contents) {
        try {
            Files.createDirectories(path.resolve(name).getParent());
            Files.writeString(path.resolve(name), contents);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
