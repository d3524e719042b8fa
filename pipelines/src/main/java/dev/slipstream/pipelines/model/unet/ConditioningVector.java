package dev.slipstream.pipelines.model.unet;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.NumberEmbedding;
import dev.slipstream.pipelines.model.layer.Sinusoids;
import java.util.List;

/** Timestep, class labels and SDXL's sizes become the one vector that residual blocks read. */
final class ConditioningVector {
    private static final Dim BATCH = Dim.named("batch_size");

    private final GraphBuilder builder;
    private final Scope root;
    private final UNetConfig.Time config;
    private final Sinusoids sinusoids;

    ConditioningVector(GraphBuilder builder, UNetConfig.Time config) {
        this.builder = builder;
        this.root = builder.root();
        this.config = config;
        this.sinusoids = new Sinusoids(config.width(), config.cosineFirst(), config.frequencyShift());
    }

    /**
     * Adds the inputs that it needs. Without labels and sizes the vector is the same for all rows, so it has one
     * row.
     *
     * @param timestep type of the input {@code timestep}
     * @return [rows or 1, embedding]
     */
    Value apply(DataType timestep) {
        Value waves = sinusoids.apply(root.child("time_proj"), NumberEmbedding.timestep(builder, timestep));
        Value embedded = mlp(root.child("time_embedding"), guided(waves), config.activation());
        if (config.afterTime().isPresent()) {
            embedded = config.afterTime().get().apply(root.child("time_embedding"), embedded);
        }
        if (config.classes() != UNetConfig.ClassEmbedding.NONE) {
            embedded = root.add(embedded, classes());
        }
        embedded = switch (config.additions()) {
            case NONE -> embedded;
            case TEXT_AND_SIZES -> root.add(embedded, textAndSizes());
            case VIDEO -> root.add(embedded, aboutVideo());
        };
        return config.afterAll().isPresent() ? config.afterAll().get().apply(root, embedded) : embedded;
    }

    private Value mlp(Scope scope, Value x, Activation activation) {
        return NumberEmbedding.mlp(scope, x, config.embedding(), activation);
    }

    /** Latent consistency models have an input for the guidance that they imitate. */
    private Value guided(Value waves) {
        if (config.guidanceWidth() == 0) {
            return waves;
        }
        Value guidance = builder.input("timestep_cond", DataType.FLOAT32, BATCH, Dim.of(config.guidanceWidth()));
        Scope scope = root.child("time_embedding");
        return scope.add(waves, Linear.withoutBias(scope.child("cond_proj"), guidance, config.width()));
    }

    private Value classes() {
        Scope scope = root.child("class_embedding");
        return switch (config.classes()) {
            case TABLE -> scope.gather(scope.weight("weight", config.classCount(), config.embedding()),
                builder.input("class_labels", DataType.INT64, BATCH));
            case TIMESTEP -> mlp(scope, sinusoids.apply(root.child("time_proj"), root.reshape(
                builder.input("class_labels", DataType.FLOAT32, BATCH), BATCH, Dim.ONE)),
                config.activation());
            case IDENTITY -> labels(config.embedding());
            case PROJECTION -> mlp(scope, labels(config.projectionWidth()), Activation.SILU);
            case SIMPLE_PROJECTION -> Linear.apply(scope, labels(config.projectionWidth()), config.embedding());
            case NONE -> throw new IllegalStateException("there are no classes");
        };
    }

    private Value labels(int width) {
        return builder.input("class_labels", DataType.FLOAT32, BATCH, Dim.of(width));
    }

    /**
     * SDXL's pooled text and {@code time_ids}: sizes and a crop for the base, and a score for the refiner. No
     * configuration says how many ids there are; the width of both together must be right. The activation is SiLU
     * whatever the configuration says, as in diffusers.
     */
    private Value textAndSizes() {
        Dim count = Dim.named("time_ids");
        Value text = builder.input("text_embeds", DataType.FLOAT32, BATCH, Dim.named("text_embeds"));
        Value ids = builder.input("time_ids", DataType.FLOAT32, BATCH, count);
        Value both = root.node("Concat", List.of(text, waves(ids)), Attributes.NONE.integer("axis", -1),
            DataType.FLOAT32, List.of(BATCH, Dim.of(config.projectionWidth())));
        return mlp(root.child("add_embedding"), both, Activation.SILU);
    }

    /** Frame rate, motion and noise of the picture for Stable Video Diffusion; no configuration says how many. */
    private Value aboutVideo() {
        Value ids = builder.input("added_time_ids", DataType.FLOAT32, BATCH, Dim.named("added_time_ids"));
        Value flat = waves(ids);
        Value known = new Value(flat.name(), flat.type(), List.of(BATCH, Dim.of(config.projectionWidth())));
        return mlp(root.child("add_embedding"), known, Activation.SILU);
    }

    /** @param ids [batch_size, count] @return [batch_size, count * width] */
    private Value waves(Value ids) {
        Sinusoids ofIds = new Sinusoids(config.idWidth(), config.cosineFirst(), config.frequencyShift());
        Value each = ofIds.apply(root.child("add_time_proj"), root.reshape(ids, BATCH, ids.dim(1), Dim.ONE));
        return root.reshape(each, BATCH, ids.dim(1).times(config.idWidth()));
    }
}
