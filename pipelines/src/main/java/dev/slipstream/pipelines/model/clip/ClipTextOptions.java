package dev.slipstream.pipelines.model.clip;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.SupportedOptions;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which options of transformers' {@code CLIPTextConfig} are known, and which may only have their default. Older
 * releases of transformers write the settings of all its models into every {@code config.json}.
 */
final class ClipTextOptions {
    private static final Set<String> FOLLOWED = Set.of("architectures", "model_type", "vocab_size", "hidden_size",
        "intermediate_size", "projection_dim", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
        "hidden_act", "layer_norm_eps", "eos_token_id");

    private static final Set<String> OF_TRAINING = Set.of("attention_dropout", "dropout", "initializer_range",
        "initializer_factor", "gradient_checkpointing", "logit_scale_init_value", "finetuning_task", "id2label",
        "label2id", "num_labels", "problem_type", "task_specific_params");

    /** What a text encoder returns is the same however it is run and whatever it is called. */
    private static final Set<String> OF_RUNNING = Set.of("name_or_path", "transformers_version", "tokenizer_class",
        "torch_dtype", "dtype", "torchscript", "use_bfloat16", "tf_legacy_loss", "return_dict", "use_return_dict",
        "output_hidden_states", "output_attentions", "attn_implementation", "chunk_size_feed_forward", "use_cache",
        "tie_word_embeddings", "tie_encoder_decoder", "prefix", "bos_token_id", "pad_token_id", "sep_token_id");

    /** A text encoder generates no text. */
    private static final Set<String> OF_GENERATION = Set.of("max_length", "min_length", "do_sample", "early_stopping",
        "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
        "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
        "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id",
        "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
        "begin_suppress_tokens", "decoder_start_token_id");

    private static final Map<String, String> ONLY = Map.of("pruned_heads", "{}", "is_decoder", "false",
        "is_encoder_decoder", "false", "add_cross_attention", "false", "cross_attention_hidden_size", "null");

    private static final SupportedOptions SUPPORTED =
        new SupportedOptions(FOLLOWED, withoutEffect(), ONLY, Set.of("hidden_act"));

    private ClipTextOptions() {
    }

    private static Set<String> withoutEffect() {
        Set<String> all = new HashSet<>(OF_TRAINING);
        all.addAll(OF_RUNNING);
        all.addAll(OF_GENERATION);
        return Set.copyOf(all);
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if an option is not known or its value not supported */
    static void check(ConfigFile config) {
        SUPPORTED.check(config);
    }
}
