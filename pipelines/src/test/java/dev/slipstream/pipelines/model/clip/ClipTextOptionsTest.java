package dev.slipstream.pipelines.model.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTextOptionsTest {
    private static ConfigFile config(String json) {
        return new ConfigFile(Path.of("text_encoder", "config.json"),
            JsonParser.parseString(json.replace('\'', '"')).getAsJsonObject());
    }

    /** What transformers 4.22 writes for the text encoder of Stable Diffusion 1.5. */
    @Test
    void theOptionsOfPublishedModelsAreKnown() {
        assertEquals(12, ClipTextConfig.read(config("""
            {'_name_or_path': 'openai/clip-vit-large-patch14', 'architectures': ['CLIPTextModel'],
             'attention_dropout': 0.0, 'bos_token_id': 0, 'dropout': 0.0, 'eos_token_id': 2,
             'hidden_act': 'quick_gelu', 'hidden_size': 768, 'initializer_factor': 1.0, 'initializer_range': 0.02,
             'intermediate_size': 3072, 'layer_norm_eps': 1e-05, 'max_position_embeddings': 77,
             'model_type': 'clip_text_model', 'num_attention_heads': 12, 'num_hidden_layers': 12, 'pad_token_id': 1,
             'projection_dim': 768, 'torch_dtype': 'float32', 'transformers_version': '4.22.0.dev0',
             'vocab_size': 49408}""")).layers());
    }

    /** What old releases write beside those. */
    @Test
    void theSettingsOfOtherModelsHaveNoEffect() {
        assertEquals(12, ClipTextConfig.read(config("""
            {'add_cross_attention': false, 'bad_words_ids': null, 'chunk_size_feed_forward': 0,
             'cross_attention_hidden_size': null, 'decoder_start_token_id': null, 'diversity_penalty': 0.0,
             'do_sample': false, 'early_stopping': false, 'encoder_no_repeat_ngram_size': 0,
             'exponential_decay_length_penalty': null, 'finetuning_task': null, 'forced_bos_token_id': null,
             'forced_eos_token_id': null, 'id2label': {'0': 'LABEL_0', '1': 'LABEL_1'}, 'is_decoder': false,
             'is_encoder_decoder': false, 'label2id': {'LABEL_0': 0, 'LABEL_1': 1}, 'length_penalty': 1.0,
             'max_length': 20, 'min_length': 0, 'no_repeat_ngram_size': 0, 'num_beam_groups': 1, 'num_beams': 1,
             'num_hidden_layers': 12, 'num_return_sequences': 1, 'output_attentions': false,
             'output_hidden_states': false, 'output_scores': false, 'prefix': null, 'problem_type': null,
             'pruned_heads': {}, 'remove_invalid_values': false, 'repetition_penalty': 1.0, 'return_dict': true,
             'return_dict_in_generate': false, 'sep_token_id': null, 'task_specific_params': null,
             'temperature': 1.0, 'tf_legacy_loss': false, 'tie_encoder_decoder': false, 'tie_word_embeddings': true,
             'tokenizer_class': null, 'top_k': 50, 'top_p': 1.0, 'torchscript': false, 'typical_p': 1.0,
             'use_bfloat16': false, 'a_new_option': null}""")).layers());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "'hidden_act': 'tanh' | hidden_act",
        "'hidden_act': null | hidden_act",
        "'model_type': 't5' | model_type",
        "'num_attention_heads': 7 | num_attention_heads",
        "'text_config': {} | text_config",
        "'quantization_config': {} | quantization_config",
        "'pruned_heads': {'0': [1]} | pruned_heads",
        "'is_decoder': true | is_decoder",
        "'position_embedding_type': 'relative_key' | position_embedding_type",
        "'per_layer_config': {'0': {'hidden_act': 'gelu'}} | per_layer_config",
        "'a_new_option': 1 | a_new_option"})
    void whatCannotBeFollowedIsRefusedByName(String setting, String key) {
        String message =
            assertThrows(ModelException.class, () -> ClipTextConfig.read(config("{" + setting + "}"))).getMessage();

        assertTrue(message.contains("config.json: \"" + key + "\""), message);
    }

    @Test
    void theClassSaysWhetherTheOutputIsProjected() {
        assertTrue(ClipTextConfig.projects(config("{'architectures': ['CLIPTextModelWithProjection']}"), false));
        assertFalse(ClipTextConfig.projects(config("{'architectures': ['CLIPTextModel']}"), true));
        assertTrue(ClipTextConfig.projects(config("{}"), true));
        assertFalse(ClipTextConfig.projects(config("{}"), false));
    }

    @Test
    void otherClassesAreRefused() {
        ConfigFile config = config("{'architectures': ['CLIPModel']}");
        String message =
            assertThrows(ModelException.class, () -> ClipTextConfig.projects(config, true)).getMessage();

        assertTrue(message.contains("\"architectures\" names CLIPModel"), message);
    }
}
