package dev.slipstream.pipelines.model.unet;

/** What becomes of {@code class_labels}, in words of diffusers' {@code class_embed_type}. */
enum ClassEmbedding {
    /** There are none. */
    NONE,
    /** A row of a table, for whole numbers; diffusers has no word for it but {@code num_class_embeds}. */
    TABLE,
    /** Embedded as the timestep is, with weights of its own. */
    TIMESTEP,
    /** Added as they are. */
    IDENTITY,
    /** Two linear layers. */
    PROJECTION,
    /** One linear layer. */
    SIMPLE_PROJECTION
}
