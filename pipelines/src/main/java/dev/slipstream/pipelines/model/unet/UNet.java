package dev.slipstream.pipelines.model.unet;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.unet.UNetBlocks.WayDown;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * diffusers' {@code UNet2DConditionModel} as a graph.
 *
 * <p>Inputs and output are those of exported models: {@code sample} [batch_size, channels, height, width],
 * {@code timestep} int64 (a scalar, one element or one a row), {@code encoder_hidden_states} [batch_size,
 * sequence_length, width], for SDXL {@code text_embeds} and {@code time_ids}, for others {@code class_labels} or
 * {@code timestep_cond}; {@code out_sample}. All are float32 but the timestep and labels from a table. Height and width
 * are open; where a block halves an odd one, the way up ends at the odd one again, as in diffusers.
 */
public final class UNet {
    /** Prefix of inputs for what ControlNets add to the way down, numbered from 0. */
    public static final String DOWN_RESIDUAL = "down_block_additional_residuals";
    /** The input for what ControlNets add to the middle. */
    public static final String MID_RESIDUAL = "mid_block_additional_residual";

    private static final Dim BATCH = Dim.named("batch_size");

    private static final String CLASS = "UNet2DConditionModel";

    private final UNetConfig config;
    private final GraphBuilder builder;
    private final Scope root;

    private UNet(UNetConfig config, GraphBuilder builder) {
        this.config = config;
        this.builder = builder;
        this.root = builder.root();
    }

    /**
     * Writes the graph over the weights in {@code folder}, which holds {@code config.json} and safetensors.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if an option is wrong or not supported; it is named
     * @throws dev.slipstream.pipelines.graph.GraphException if weights are missing or misshapen; they are named
     */
    public static BuiltGraph read(Path folder) {
        return write(ConfigFile.read(ComponentFile.CONFIG.in(folder)), Checkpoint.open(folder));
    }

    /** As {@link #read}, with configuration and checkpoint given. */
    public static BuiltGraph write(ConfigFile config, Checkpoint checkpoint) {
        GraphBuilder builder = checkpoint.graph();
        write(config, builder, GraphOptions.NONE);
        return builder.build();
    }

    /** The weights that a checkpoint of this configuration has, with their shapes. */
    public static Map<String, Shape> weights(ConfigFile config) {
        GraphBuilder builder = new GraphBuilder(config.path().toString(), config.path().toAbsolutePath().getParent(),
            Map.of());
        write(config, builder, GraphOptions.NONE);
        return builder.wanted();
    }

    /** As {@link #read}, into a builder. */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        config.text("_class_name").filter(name -> !name.equals(CLASS)).ifPresent(name -> {
            throw config.wrong("_class_name", "is " + name + ", but only " + CLASS + " can be written here");
        });
        new UNet(UNetConfig.read(config), builder).write(options.inputs().contains(MID_RESIDUAL)
            || options.inputs().stream().anyMatch(name -> name.startsWith(DOWN_RESIDUAL + ".")));
    }

    /**
     * @param controlled whether residuals of ControlNets are added: {@code down_block_additional_residuals.N} to what
     *     the way down leaves, and {@code mid_block_additional_residual} to the middle
     */
    private void write(boolean controlled) {
        Value sample = builder.input("sample", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()),
            Dim.named("height"), Dim.named("width"));
        Value embedded = new ConditioningVector(builder, config.time()).apply(DataType.INT64);
        Optional<Value> text = text(builder, config, BATCH);
        Value time = config.resnet().activation().apply(root.child("nonlinearity"), embedded);
        PictureLayers layers = new PictureLayers(config, time, text);
        UNetBlocks blocks = config.blocks();
        WayDown down = blocks.writeDown(root, first(root, config, sample), layers);
        List<Value> skips = down.skips();
        Value hidden = down.hidden();
        if (controlled) {
            skips = IntStream.range(0, skips.size())
                .mapToObj(i -> residual(down.skips().get(i), DOWN_RESIDUAL + "." + i)).toList();
        }
        hidden = blocks.writeMid(root, hidden, layers);
        if (controlled) {
            hidden = residual(hidden, MID_RESIDUAL);
        }
        hidden = blocks.writeUp(root, hidden, skips, layers);
        builder.output("out_sample", last(root, config, hidden));
    }

    /** Of the shape of {@code x}, or with one pixel for all, as a ControlNet for global conditions makes them. */
    private Value residual(Value x, String input) {
        return root.add(x, builder.inputDeclared(input, DataType.FLOAT32, List.of(x.dim(0), x.dim(1),
            Dim.named(input + ".height"), Dim.named(input + ".width")), x.dims()));
    }

    /** {@code encoder_hidden_states} [rows, sequence_length, width], if any block reads it. */
    static Optional<Value> text(GraphBuilder builder, UNetConfig config, Dim rows) {
        return config.blocks().attends() ? Optional.of(builder.input("encoder_hidden_states", DataType.FLOAT32, rows,
            Dim.named("sequence_length"), Dim.of(config.contextWidth()))) : Optional.empty();
    }

    /** The first convolution. @param sample [rows, channels, height, width] */
    static Value first(Scope root, UNetConfig config, Value sample) {
        Value centred = config.centerInput()
            ? root.sub(root.mul(sample, root.scalar(2)), root.scalar(1)) : sample;
        return Conv2d.apply(root.child("conv_in"), centred, config.blocks().width(), config.convInKernel());
    }

    /** The layers behind the way up. @param hidden [rows, channels, height, width] */
    static Value last(Scope root, UNetConfig config, Value hidden) {
        Value normal = GroupNorm.apply(root.child("conv_norm_out"), hidden, config.resnet().groups(),
            config.resnet().epsilon());
        Value active = config.resnet().activation().apply(root.child("conv_act"), normal);
        return Conv2d.apply(root.child("conv_out"), active, config.outChannels(), config.convOutKernel());
    }
}
