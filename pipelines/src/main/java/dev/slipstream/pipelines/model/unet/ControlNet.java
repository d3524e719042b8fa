package dev.slipstream.pipelines.model.unet;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.unet.UNetBlocks.WayDown;
import java.util.List;

/**
 * diffusers' {@code ControlNetModel} as a graph: the way down and the middle of a {@link UNet}, which also see a
 * picture and say what is to be added to the U-Net's own (Zhang et al. 2023).
 *
 * <p>Inputs are those of the U-Net, and {@code controlnet_cond} [batch_size, 3, 8 · height, 8 · width], from 0 to 1,
 * and {@code conditioning_scale}, one number or one for each row. Outputs, which are scaled: {@code
 * down_block_res_samples.N} and {@code mid_block_res_sample}, in the order in which a U-Net takes {@link
 * UNet#DOWN_RESIDUAL} and {@link UNet#MID_RESIDUAL}.
 *
 * @see <a href="https://arxiv.org/abs/2302.05543">Adding Conditional Control to Text-to-Image Diffusion Models</a>
 */
public final class ControlNet {
    public static final String CONDITION = "controlnet_cond";
    public static final String SCALE = "conditioning_scale";
    /** Prefix of the outputs that are added to what the way down leaves, numbered from 0. */
    public static final String DOWN_RESIDUAL = "down_block_res_samples";
    public static final String MID_RESIDUAL = "mid_block_res_sample";

    private static final Dim BATCH = Dim.named("batch_size");

    private final UNetConfig config;
    private final ConditionConfig condition;
    private final GraphBuilder builder;
    private final Scope root;

    private ControlNet(ConfigFile config, GraphBuilder builder) {
        this.config = UNetConfig.read(config, UNetDialect.CONTROL);
        this.condition = ConditionConfig.read(config);
        this.builder = builder;
        this.root = builder.root();
    }

    /** Adds inputs, nodes and outputs. */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        new ControlNet(config, builder).write();
    }

    /** Pixels of the picture to a pixel of the latents, along each side. */
    public static int pixelsPerLatent(ConfigFile config) {
        return Math.toIntExact(ConditionConfig.read(config).pixels());
    }

    /**
     * Whether only means over the whole picture are added; then diffusers lets the network see the prompt's half alone.
     */
    public static boolean isGlobal(ConfigFile config) {
        return ConditionConfig.read(config).global();
    }

    private void write() {
        Dim height = Dim.named("height");
        Dim width = Dim.named("width");
        Value sample = builder.input("sample", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()), height, width);
        Value embedded = new ConditioningVector(builder, config.time()).apply(DataType.INT64);
        PictureLayers layers = new PictureLayers(config, config.resnet().activation()
            .apply(root.child("nonlinearity"), embedded), UNet.text(builder, config, BATCH));
        long pixels = condition.pixels();
        Value picture = builder.input(CONDITION, DataType.FLOAT32, BATCH, Dim.of(condition.channels()),
            height.times(pixels), width.times(pixels));
        Value first = Conv2d.apply(root.child("conv_in"), sample, config.blocks().width(), 3);
        WayDown down = config.blocks().writeDown(root, root.add(first, seen(picture)), layers);
        Value middle = config.blocks().writeMid(root, down.hidden(), layers);
        Value scale = root.node("Reshape", List.of(builder.inputOfAnyShape(SCALE, DataType.FLOAT32, Dim.ONE),
            root.integers(-1, 1, 1, 1)), Attributes.NONE, DataType.FLOAT32,
            List.of(Dim.ONE, Dim.ONE, Dim.ONE, Dim.ONE));
        for (int i = 0; i < down.skips().size(); i++) {
            builder.output(DOWN_RESIDUAL + "." + i, residual(root.child("controlnet_down_blocks", i),
                down.skips().get(i), scale));
        }
        builder.output(MID_RESIDUAL, residual(root.child("controlnet_mid_block"), middle, scale));
    }

    private Value residual(Scope scope, Value x, Value scale) {
        Value residual = scope.mul(Conv2d.apply(scope, x, x.size(1), 1), scale);
        return condition.global() ? scope.node("ReduceMean", List.of(residual), Attributes.NONE.integers("axes", 2, 3)
            .integer("keepdims", 1), DataType.FLOAT32, List.of(x.dim(0), x.dim(1), Dim.ONE, Dim.ONE)) : residual;
    }

    /** diffusers' {@code ControlNetConditioningEmbedding}: the picture at the size of the latents. */
    private Value seen(Value picture) {
        Scope scope = root.child("controlnet_cond_embedding");
        List<Integer> widths = condition.widths();
        Value x = condition.reversed() ? reversed(picture) : picture;
        x = activated(scope.child("conv_in"), Conv2d.apply(scope.child("conv_in"), x, widths.getFirst(), 3));
        for (int i = 0; i < widths.size() - 1; i++) {
            Scope same = scope.child("blocks", 2 * i);
            Scope half = scope.child("blocks", 2 * i + 1);
            x = activated(same, Conv2d.apply(same, x, widths.get(i), 3));
            x = activated(half, Conv2d.halving(half, x, widths.get(i + 1), 1));
        }
        return Conv2d.apply(scope.child("conv_out"), x, config.blocks().width(), 3);
    }

    private static Value activated(Scope scope, Value x) {
        return Activation.SILU.apply(scope, x);
    }

    private Value reversed(Value picture) {
        long[] order = new long[condition.channels()];
        for (int i = 0; i < order.length; i++) {
            order[i] = order.length - 1L - i;
        }
        return root.node("Gather", List.of(picture, root.integers(order)), Attributes.NONE.integer("axis", 1),
            DataType.FLOAT32, picture.dims());
    }

    /**
     * How the picture is seen.
     *
     * @param widths channels of it at full size, and after each halving
     * @param reversed whether channels come in the order blue, green, red
     * @param global whether only means over the whole picture are added
     */
    private record ConditionConfig(int channels, List<Integer> widths, boolean reversed, boolean global) {
        private static final String WIDTHS = "conditioning_embedding_out_channels";
        private static final String ORDER = "controlnet_conditioning_channel_order";
        private static final int MOST_HALVINGS = 16;

        static ConditionConfig read(ConfigFile config) {
            List<Integer> widths = config.has(WIDTHS)
                ? config.list(WIDTHS).stream().map(it -> config.positiveInteger(WIDTHS, it)).toList()
                : List.of(16, 32, 96, 256);
            if (widths.isEmpty() || widths.size() > MOST_HALVINGS) {
                throw config.wrong(WIDTHS, "must have 1 to " + MOST_HALVINGS + " numbers, not " + widths.size());
            }
            String order = config.text(ORDER).orElse("rgb");
            if (!order.equals("rgb") && !order.equals("bgr")) {
                throw config.wrong(ORDER, "is \"" + order + "\", which is not supported; supported are rgb and bgr");
            }
            return new ConditionConfig(config.positiveInteger("conditioning_channels", 3), widths,
                order.equals("bgr"), config.flag("global_pool_conditions", false));
        }

        /** Pixels of the picture to a pixel of the latents, along each side. */
        long pixels() {
            return 1L << (widths.size() - 1);
        }
    }
}
