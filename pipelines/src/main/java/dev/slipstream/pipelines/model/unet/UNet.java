package dev.slipstream.pipelines.model.unet;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.ComponentFile;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    static final Dim BATCH = Dim.named("batch_size");

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
        write(config, builder);
        return builder.build();
    }

    /** The weights that a checkpoint of this configuration has, with their shapes. */
    public static Map<String, Shape> weights(ConfigFile config) {
        GraphBuilder builder = new GraphBuilder(config.path().toString(), config.path().toAbsolutePath().getParent(),
            Map.of());
        write(config, builder);
        return builder.wanted();
    }

    private static void write(ConfigFile config, GraphBuilder builder) {
        config.text("_class_name").filter(name -> !name.equals(CLASS)).ifPresent(name -> {
            throw config.wrong("_class_name", "is " + name + ", but only " + CLASS + " can be written here");
        });
        new UNet(UNetConfigReader.read(config), builder).write();
    }

    private void write() {
        Value sample = builder.input("sample", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()),
            Dim.named("height"), Dim.named("width"));
        Value embedded = new TimeEmbedding(builder, config.time()).apply();
        Optional<Value> text = config.attends() ? Optional.of(builder.input("encoder_hidden_states", DataType.FLOAT32,
            BATCH, Dim.named("sequence_length"), Dim.of(config.contextWidth()))) : Optional.empty();
        Value time = config.resnet().activation().apply(root.child("nonlinearity"), embedded);
        Value hidden = blocks(new BlockWriter(config, new Conditions(time, text)), first(sample));
        Value normal = GroupNorm.apply(root.child("conv_norm_out"), hidden, config.resnet().groups(),
            config.resnet().epsilon());
        Value active = config.resnet().activation().apply(root.child("conv_act"), normal);
        builder.output("out_sample", Conv2d.apply(root.child("conv_out"), active, config.outChannels(),
            config.convOutKernel()));
    }

    private Value first(Value sample) {
        Value centred = config.centerInput()
            ? root.sub(root.mul(sample, root.scalar(2)), root.scalar(1)) : sample;
        return Conv2d.apply(root.child("conv_in"), centred, config.down().getFirst().channels(),
            config.convInKernel());
    }

    private Value blocks(BlockWriter writer, Value first) {
        Deque<Value> skips = new ArrayDeque<>(List.of(first));
        Value hidden = first;
        int last = config.down().size() - 1;
        for (int i = 0; i <= last; i++) {
            hidden = writer.down(root.child("down_blocks", i), hidden, config.down().get(i), i < last, skips);
        }
        if (config.mid().isPresent()) {
            hidden = writer.mid(root.child("mid_block"), hidden, config.mid().get());
        }
        for (int i = 0; i <= last; i++) {
            hidden = writer.up(root.child("up_blocks", i), hidden, config.up().get(i), i < last, skips);
        }
        return hidden;
    }
}
