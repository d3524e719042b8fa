package dev.slipstream.pipelines.model.unet;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.Frames;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.unet.UNetBlocks.WayDown;
import java.util.List;
import java.util.Optional;

/**
 * diffusers' {@code UNetMotionModel} as a graph: a {@link UNet} for the frames of a video, with motion modules between
 * its layers (AnimateDiff, Guo et al. 2023).
 *
 * <p>Inputs: {@code sample} [batch_size, channels, num_frames, height, width], {@code timestep} int64, {@code
 * encoder_hidden_states} [batch_size · num_frames, sequence_length, width], so that each frame may have a text of its
 * own, and what else the U-Net takes; output: {@code out_sample}, of the sample's shape.
 *
 * @see <a href="https://arxiv.org/abs/2307.04725">AnimateDiff</a>
 */
public final class MotionUNet {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final Dim FRAMES = Dim.named("num_frames");

    private final UNetConfig config;
    private final Motion motion;
    private final GraphBuilder builder;
    private final Scope root;

    private MotionUNet(UNetConfig config, Motion motion, GraphBuilder builder) {
        this.config = config;
        this.motion = motion;
        this.builder = builder;
        this.root = builder.root();
    }

    /** Adds inputs, nodes and outputs. @param config of a {@code UNetMotionModel}, which has the weights of both */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        UNetConfig unet = UNetConfig.read(config, UNetDialect.MOTION);
        new MotionUNet(unet, Motion.read(config, unet.blocks()), builder).write();
    }

    /**
     * Adds inputs, nodes and outputs of a motion adapter joined with a U-Net.
     *
     * @param config of a {@code MotionAdapter}
     * @param builder over the weights of both
     * @param options with the configuration of the {@code UNet2DConditionModel}
     */
    public static void writeAdapter(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        ConfigFile base = options.base().orElseThrow(() -> config.wrong("_class_name", "is MotionAdapter, which works "
            + "only in a U-Net; give the folder of one beside it (--base), of Stable Diffusion 1.5 for most"));
        UNetConfig unet = UNetConfig.read(base);
        new MotionUNet(unet, Motion.ofAdapter(config, unet.blocks()), builder).write();
    }

    /**
     * The configuration of the {@code UNetMotionModel} that a U-Net and a motion adapter are together, as far as
     * others than the writer of its graph read it.
     *
     * @param base of the {@code UNet2DConditionModel}
     * @param adapter of the {@code MotionAdapter}
     */
    public static JsonObject joined(JsonObject base, ConfigFile adapter) {
        JsonObject joined = base.deepCopy();
        joined.addProperty("_class_name", "UNetMotionModel");
        for (String blocks : List.of("down_block_types", "up_block_types")) {
            if (joined.get(blocks) instanceof JsonArray types) {
                JsonArray moving = new JsonArray();
                types.forEach(type -> moving.add(type.getAsString().replaceFirst("2D$", "Motion")));
                joined.add(blocks, moving);
            }
        }
        joined.addProperty(Motion.LONGEST, adapter.positiveInteger(Motion.LONGEST, Motion.USUAL_LONGEST));
        return joined;
    }

    private void write() {
        Value sample = builder.input("sample", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()), FRAMES,
            Dim.named("height"), Dim.named("width"));
        Value framesFirst = root.transpose(sample, 0, 2, 1, 3, 4);
        Frames frames = new Frames(framesFirst);
        Value time = config.resnet().activation().apply(root.child("nonlinearity"),
            new ConditioningVector(builder, config.time()).apply(DataType.INT64));
        Optional<Value> text = UNet.text(builder, config, BATCH.times(FRAMES));
        PictureLayers pictures = new PictureLayers(config, frames.repeat(root, time), text);
        MotionLayers layers = new MotionLayers(pictures, motion, frames,
            new MotionModule(config.resnet().groups(), motion.longest()));
        Value rows = root.reshape(framesFirst, List.of(sample), BATCH.times(FRAMES), Dim.of(config.inChannels()),
            sample.dim(3), sample.dim(4));
        UNetBlocks blocks = config.blocks();
        WayDown down = blocks.writeDown(root, UNet.first(root, config, rows), layers);
        Value hidden = blocks.writeMid(root, down.hidden(), layers);
        hidden = UNet.last(root, config, blocks.writeUp(root, hidden, down.skips(), layers));
        Value apart = root.reshape(hidden, List.of(sample), BATCH, FRAMES, hidden.dim(1), sample.dim(3),
            sample.dim(4));
        builder.output("out_sample", root.transpose(apart, 0, 2, 1, 3, 4));
    }

    /** The layers of pictures with a motion module after each. */
    private record MotionLayers(PictureLayers pictures, Motion motion, Frames frames, MotionModule module)
        implements UNetLayers {
        @Override
        public Value down(Scope scope, Value x, int level, int index) {
            return move(scope, pictures.down(scope, x, level, index), motion.down().get(level), index);
        }

        @Override
        public Value up(Scope scope, Value x, int level, int index) {
            return move(scope, pictures.up(scope, x, level, index), motion.up().get(level), index);
        }

        @Override
        public Value mid(Scope scope, Value x, UNetBlock block) {
            return pictures.mid(scope, x, block, (hidden, index) ->
                motion.mid().map(level -> move(scope, hidden, level, index)).orElse(hidden));
        }

        private Value move(Scope scope, Value x, Motion.Level level, int index) {
            return module.apply(scope.child("motion_modules", index), x, frames, level.heads(),
                level.depths().get(index));
        }
    }

    /**
     * diffusers' {@code AnimateDiffTransformer3D}: each pixel attends to itself in all frames of its video.
     *
     * @param groups of the norm before
     * @param longest how many frames the table of positions has
     */
    private record MotionModule(int groups, int longest) {
        /**
         * @param x [videos * frames, channels, height, width]
         * @param heads of attention
         * @param depth transformer blocks
         */
        Value apply(Scope scope, Value x, Frames frames, int heads, int depth) {
            Value video = frames.alongTime(scope, x);
            Value normal = GroupNorm.apply(scope.child("norm"), video, groups, SpatialTransformer.EPSILON);
            long inner = x.size(1) / heads * heads;
            Value pixels = scope.transpose(normal, 0, 3, 2, 1);
            Dim rows = pixels.dim(0).times(pixels.dim(1));
            Value matrix = scope.reshape(pixels, rows.times(frames.count()), pixels.dim(3));
            TokenMatrix tokens = new TokenMatrix(Linear.apply(scope.child("proj_in"), matrix, inner), rows,
                frames.count(), frames.sizes());
            for (int i = 0; i < depth; i++) {
                tokens = block(scope.child("transformer_blocks", i), tokens, heads);
            }
            Value moved = scope.reshapeLike(Linear.apply(scope.child("proj_out"), tokens.matrix(), x.size(1)), pixels);
            return scope.add(scope.reshapeLike(scope.transpose(moved, 0, 2, 3, 1), x), x);
        }

        /** diffusers' {@code BasicTransformerBlock} with {@code double_self_attention} and positions. */
        private TokenMatrix block(Scope scope, TokenMatrix x, int heads) {
            Value positions = positions(scope.child("pos_embed"), x);
            TokenMatrix first = placed(scope, TokenLayers.norm(scope.child("norm1"), x), positions);
            TokenMatrix once = TokenLayers.added(scope,
                TokenLayers.attention(scope.child("attn1"), first, first, heads), x);
            TokenMatrix second = placed(scope, TokenLayers.norm(scope.child("norm2"), once), positions);
            TokenMatrix twice = TokenLayers.added(scope,
                TokenLayers.attention(scope.child("attn2"), second, second, heads), once);
            return TokenLayers.added(scope, TokenLayers.feedForward(scope.child("ff"),
                TokenLayers.norm(scope.child("norm3"), twice)), twice);
        }

        /** The first rows of the checkpoint's table, as many as there are frames. @return [frames, channels] */
        private Value positions(Scope scope, TokenMatrix x) {
            long channels = x.matrix().size(1);
            Value table = scope.view("pe", new long[] {1, longest, channels}, longest, channels);
            return scope.node("Slice", List.of(table, scope.integers(0), scope.size(x.like(), 1), scope.integers(0)),
                Attributes.NONE, DataType.FLOAT32, List.of(x.count(), Dim.of(channels)));
        }

        private static TokenMatrix placed(Scope scope, TokenMatrix x, Value positions) {
            Value apart = scope.reshape(x.matrix(), List.of(x.like()), x.rows(), x.count(), x.matrix().dim(1));
            return x.with(scope.reshape(scope.add(apart, positions), x.matrix().dim(0), x.matrix().dim(1)));
        }
    }
}
