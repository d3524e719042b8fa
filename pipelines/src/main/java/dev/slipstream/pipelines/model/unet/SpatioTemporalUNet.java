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
import dev.slipstream.pipelines.model.layer.Frames;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import dev.slipstream.pipelines.model.layer.Sinusoids;
import dev.slipstream.pipelines.model.layer.SpatioTemporalResnet.VideoTime;
import dev.slipstream.pipelines.model.layer.SpatioTemporalResnet;
import dev.slipstream.pipelines.model.unet.UNetBlocks.WayDown;
import java.util.List;
import java.util.Optional;

/**
 * diffusers' {@code UNetSpatioTemporalConditionModel} as a graph, the denoiser of Stable Video Diffusion (Blattmann et
 * al. 2023): each of its layers works on every frame by itself, then along time.
 *
 * <p>Inputs: {@code sample} [batch_size, num_frames, channels, height, width], {@code timestep} float32, {@code
 * encoder_hidden_states} [batch_size, sequence_length, width] and {@code added_time_ids} [batch_size, 3]; output:
 * {@code out_sample} [batch_size, num_frames, channels, height, width].
 *
 * @see <a href="https://arxiv.org/abs/2311.15127">Stable Video Diffusion</a>
 */
public final class SpatioTemporalUNet {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final Dim FRAMES = Dim.named("num_frames");

    private final UNetConfig config;
    private final GraphBuilder builder;
    private final Scope root;

    private SpatioTemporalUNet(UNetConfig config, GraphBuilder builder) {
        this.config = config;
        this.builder = builder;
        this.root = builder.root();
    }

    /** Adds inputs, nodes and outputs. */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        new SpatioTemporalUNet(UNetConfig.read(config, UNetDialect.VIDEO), builder).write();
    }

    private void write() {
        Value sample = builder.input("sample", DataType.FLOAT32, BATCH, FRAMES, Dim.of(config.inChannels()),
            Dim.named("height"), Dim.named("width"));
        Frames frames = new Frames(sample);
        Value time = config.resnet().activation().apply(root.child("nonlinearity"),
            new ConditioningVector(builder, config.time()).apply(DataType.FLOAT32));
        VideoLayers layers = new VideoLayers(config, new VideoTime(time, frames.repeat(root, time)),
            UNet.text(builder, config, BATCH), frames);
        Value rows = root.reshape(sample, List.of(sample), BATCH.times(FRAMES), Dim.of(config.inChannels()),
            sample.dim(3), sample.dim(4));
        UNetBlocks blocks = config.blocks();
        WayDown down = blocks.writeDown(root, UNet.first(root, config, rows), layers);
        Value hidden = blocks.writeMid(root, down.hidden(), layers);
        hidden = UNet.last(root, config, blocks.writeUp(root, hidden, down.skips(), layers));
        builder.output("out_sample", root.reshape(hidden, List.of(sample), BATCH, FRAMES, hidden.dim(1),
            sample.dim(3), sample.dim(4)));
    }

    /**
     * The layers of {@code (CrossAttn)DownBlockSpatioTemporal}, {@code UNetMidBlockSpatioTemporal} and {@code
     * (CrossAttn)UpBlockSpatioTemporal}.
     */
    private record VideoLayers(UNetConfig config, VideoTime time, Optional<Value> text, Frames frames)
        implements UNetLayers {
        /** What diffusers gives some blocks in place of the usual epsilon; no option says it. */
        private static final double SMALL_EPSILON = 1e-6;

        @Override
        public Value down(Scope scope, Value x, int level, int index) {
            UNetBlock block = config.blocks().down().get(level);
            double epsilon = block.attends() ? SMALL_EPSILON : config.resnet().epsilon();
            return layer(scope, x, block, index, epsilon);
        }

        @Override
        public Value up(Scope scope, Value x, int level, int index) {
            return layer(scope, x, config.blocks().up().get(level), index, SMALL_EPSILON);
        }

        private Value layer(Scope scope, Value x, UNetBlock block, int index, double epsilon) {
            Value hidden = resnet(scope, x, block, index, epsilon);
            return block.attends() ? attention(scope, hidden, block, index) : hidden;
        }

        @Override
        public Value mid(Scope scope, Value x, UNetBlock block) {
            Value hidden = resnet(scope, x, block, 0, config.resnet().epsilon());
            for (int i = 0; i < block.layers(); i++) {
                hidden = resnet(scope, attention(scope, hidden, block, i), block, i + 1, config.resnet().epsilon());
            }
            return hidden;
        }

        private Value resnet(Scope scope, Value x, UNetBlock block, int index, double epsilon) {
            ResnetBlock common = config.resnet();
            ResnetBlock spatial = new ResnetBlock(common.groups(), epsilon, common.activation(), false, 1);
            return new SpatioTemporalResnet(spatial, epsilon, false).apply(scope.child("resnets", index), x,
                block.channels(), frames, Optional.of(time));
        }

        private Value attention(Scope scope, Value x, UNetBlock block, int index) {
            return new SpatioTemporalTransformer(config.resnet().groups(), frames).apply(
                scope.child("attentions", index), x, text.orElseThrow(), block, block.depths().get(index));
        }
    }

    /**
     * diffusers' {@code TransformerSpatioTemporalModel}: the pixels of a frame attend to each other, then each pixel to
     * itself in all frames, and a learned mix of the two goes on.
     *
     * @param groups of the norm before
     */
    private record SpatioTemporalTransformer(int groups, Frames frames) {
        /**
         * @param x [videos * frames, channels, height, width]
         * @param text [videos, tokens, width]
         */
        Value apply(Scope scope, Value x, Value text, UNetBlock block, int depth) {
            int inner = block.innerChannels();
            Value normal = GroupNorm.apply(scope.child("norm"), x, groups, SpatialTransformer.EPSILON);
            TokenMatrix tokens = SpatialTransformer.tokens(scope, normal);
            tokens = tokens.with(Linear.apply(scope.child("proj_in"), tokens.matrix(), inner));
            TokenMatrix words = TokenMatrix.of(scope, text);
            TokenMatrix wordsOfFrames = TokenMatrix.of(scope, frames.repeat(scope, text));
            Value places = places(scope, x.size(1));
            for (int i = 0; i < depth; i++) {
                tokens = TokenLayers.block(scope.child("transformer_blocks", i), tokens, wordsOfFrames, block.heads(),
                    false);
                Value moved = temporal(scope.child("temporal_transformer_blocks", i), tokens, places, words,
                    block.heads());
                tokens = tokens.with(SpatioTemporalResnet.mix(scope.child("time_mixer"), tokens.matrix(), moved,
                    false));
            }
            Value last = Linear.apply(scope.child("proj_out"), tokens.matrix(), x.size(1));
            return scope.add(SpatialTransformer.pixels(scope, tokens.with(last)), x);
        }

        /** The number of each frame, embedded. @return [frames, channels] */
        private Value places(Scope scope, long channels) {
            Value count = scope.gather(scope.size(frames.sizes(), 1), scope.integer(0));
            Value numbers = scope.node("Range", List.of(scope.integer(0), count, scope.integer(1)),
                Attributes.NONE, DataType.INT64, List.of(frames.count()));
            Value column = scope.reshape(scope.cast(numbers, DataType.FLOAT32), frames.count(), Dim.ONE);
            Value waves = new Sinusoids(Math.toIntExact(channels), true, 0).apply(scope.child("time_proj"), column);
            Scope embedding = scope.child("time_pos_embed");
            Value hidden = Linear.apply(embedding.child("linear_1"), waves, 4 * channels);
            return Linear.apply(embedding.child("linear_2"), Activation.SILU.apply(embedding.child("act"), hidden),
                channels);
        }

        /**
         * diffusers' {@code TemporalBasicTransformerBlock}.
         *
         * @param x tokens of frames
         * @param text [videos * tokens, width]
         * @return [videos * frames * height * width, channels], as {@code x}
         */
        private Value temporal(Scope scope, TokenMatrix x, Value places, TokenMatrix text, int heads) {
            long channels = x.matrix().size(1);
            Dim pixels = x.count();
            Value apart = scope.reshape(x.matrix(), List.of(frames.sizes()), frames.videos(), frames.count(), pixels,
                Dim.of(channels));
            Value pixelsFirst = scope.add(scope.transpose(apart, 0, 2, 1, 3), places);
            Dim rows = frames.videos().times(pixels);
            TokenMatrix tokens = new TokenMatrix(scope.reshape(pixelsFirst, rows.times(frames.count()),
                Dim.of(channels)), rows, frames.count(), frames.sizes());
            tokens = TokenLayers.added(scope, TokenLayers.feedForward(scope.child("ff_in"),
                TokenLayers.norm(scope.child("norm_in"), tokens)), tokens);
            TokenMatrix first = TokenLayers.norm(scope.child("norm1"), tokens);
            tokens = TokenLayers.added(scope, TokenLayers.attention(scope.child("attn1"), first, first, heads), tokens);
            // All tokens of a video read the same text.
            TokenMatrix second = TokenLayers.norm(scope.child("norm2"), tokens).ofRows(frames.videos(),
                pixels.times(frames.count()), frames.sizes());
            tokens = TokenLayers.added(scope, TokenLayers.attention(scope.child("attn2"), second, text, heads), tokens);
            tokens = TokenLayers.added(scope, TokenLayers.feedForward(scope.child("ff"),
                TokenLayers.norm(scope.child("norm3"), tokens)), tokens);
            return scope.reshape(scope.transpose(scope.reshapeLike(tokens.matrix(), pixelsFirst), 0, 2, 1, 3),
                x.matrix().dim(0), Dim.of(channels));
        }
    }
}
