package dev.slipstream.pipelines.model.config;

import dev.slipstream.pipelines.model.ModelException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Options that transformers writes into the {@code config.json} of every model, older releases all of them: none
 * changes what an encoder computes.
 */
public final class PretrainedOptions {
    private static final Set<String> OF_TRAINING = Set.of("attention_dropout", "dropout", "initializer_range",
        "initializer_factor", "gradient_checkpointing", "logit_scale_init_value", "finetuning_task", "id2label",
        "label2id", "num_labels", "problem_type", "task_specific_params");

    /** Options about running and naming the model. */
    private static final Set<String> OF_RUNNING = Set.of("name_or_path", "transformers_version", "tokenizer_class",
        "torch_dtype", "dtype", "torchscript", "use_bfloat16", "tf_legacy_loss", "return_dict", "use_return_dict",
        "output_hidden_states", "output_attentions", "attn_implementation", "chunk_size_feed_forward", "use_cache",
        "tie_word_embeddings", "tie_encoder_decoder", "prefix", "bos_token_id", "pad_token_id", "sep_token_id");

    /** Options about generating text, which an encoder does not do. */
    private static final Set<String> OF_GENERATION = Set.of("max_length", "min_length", "do_sample", "early_stopping",
        "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
        "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
        "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id",
        "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
        "begin_suppress_tokens", "decoder_start_token_id");

    private static final Map<String, String> ONLY = Map.of("pruned_heads", "{}", "is_decoder", "false",
        "add_cross_attention", "false", "cross_attention_hidden_size", "null");

    private PretrainedOptions() {
    }

    /**
     * The options of one kind of model, and all these.
     *
     * @param withoutEffect further ones that do not change what the model computes
     * @param only further ones that may have one value alone, as JSON
     */
    public static SupportedOptions with(Set<String> followed, Collection<String> withoutEffect,
        Map<String, String> only, Set<String> neverNull) {
        Set<String> idle = new HashSet<>(withoutEffect);
        idle.addAll(OF_TRAINING);
        idle.addAll(OF_RUNNING);
        idle.addAll(OF_GENERATION);
        idle.removeAll(followed);
        Map<String, String> single = new HashMap<>(ONLY);
        single.putAll(only);
        return new SupportedOptions(followed, Set.copyOf(idle), Map.copyOf(single), neverNull);
    }

    /** @throws ModelException if the configuration is one of quantized weights */
    public static void refuseQuantized(ConfigFile config) {
        if (config.has("quantization_config")) {
            throw config.wrong("quantization_config", "is not supported; take the checkpoint that is not quantized");
        }
    }
}
