package dev.slipstream.pipelines.model.vae;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.Frames;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import dev.slipstream.pipelines.model.layer.SpatioTemporalResnet;
import dev.slipstream.pipelines.model.vae.AutoencoderConfig.Block;
import java.util.List;
import java.util.Optional;

/**
 * Writes both halves of diffusers' {@code AutoencoderKLTemporalDecoder}, the autoencoder of Stable Video Diffusion. The
 * encoder is that of an {@link AutoencoderKl}; the decoder also looks at the frames before and after.
 */
public final class AutoencoderKlTemporalDecoder {
    /** How many of the frames that are decoded are of one video. */
    public static final String NUM_FRAMES = "num_frames";

    private static final double EPSILON = 1e-6;
    private static final double TEMPORAL_EPSILON = 1e-5;

    private final AutoencoderConfig config;
    private final AutoencoderBlocks blocks;
    private final GraphBuilder graph;
    private final SpatioTemporalResnet resnet;

    private AutoencoderKlTemporalDecoder(AutoencoderConfig config, GraphBuilder graph) {
        this.config = config;
        this.blocks = new AutoencoderBlocks(config);
        this.graph = graph;
        this.resnet = new SpatioTemporalResnet(new ResnetBlock(config.groups(), EPSILON, config.activation(), false, 1),
            TEMPORAL_EPSILON, true);
    }

    /** As {@link AutoencoderKl#encoder}. */
    public static void writeEncoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderBlocks(AutoencoderConfig.readTemporal(config)).writeEncoder(graph);
    }

    /**
     * From {@code latent_sample} float32[frames, channels, height_latent, width_latent] to {@code sample}
     * float32[frames, 3, 8 · height_latent, 8 · width_latent].
     *
     * <p>All are the frames of one video, unless the options name the input {@code num_frames} int64[1]: then there are
     * several videos of so many frames each. The input decides shapes, see
     * {@link dev.slipstream.pipelines.graph.shape.ShapingInputs}.
     */
    public static void writeDecoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderKlTemporalDecoder(AutoencoderConfig.readTemporal(config), graph)
            .writeDecoder(options.inputs().contains(NUM_FRAMES));
    }

    private void writeDecoder(boolean severalVideos) {
        Dim count = Dim.named(NUM_FRAMES);
        Dim videos = severalVideos ? Dim.named("batch_size") : Dim.ONE;
        Value latents = graph.input(AutoencoderKl.LATENT_SAMPLE, DataType.FLOAT32, videos.times(count),
            Dim.of(config.latentChannels()), Dim.named("height_latent"), Dim.named("width_latent"));
        Frames frames = frames(latents, videos, count, severalVideos);
        Scope decoder = graph.root().child("decoder");
        List<Block> up = config.up();
        Value x = Conv2d.apply(decoder.child("conv_in"), latents, up.getFirst().channels(), 3);
        x = mid(decoder.child("mid_block"), x, frames);
        for (int i = 0; i < up.size(); i++) {
            x = up(decoder.child("up_blocks", i), x, up.get(i).channels(), i < up.size() - 1, frames);
        }
        Value pictures = blocks.out(decoder, x, config.decodedChannels());
        Value smoothed = SpatioTemporalResnet.convolution(decoder.child("time_conv_out"),
            frames.alongTime(decoder, pictures), config.decodedChannels());
        graph.output(AutoencoderKl.SAMPLE, Frames.asRows(decoder, smoothed, pictures));
    }

    private Frames frames(Value latents, Dim videos, Dim count, boolean severalVideos) {
        Scope root = graph.root();
        Value rows = root.size(latents, 0);
        Value each = severalVideos ? graph.input(NUM_FRAMES, DataType.INT64, Dim.ONE) : rows;
        Value sizes = root.concat(0, severalVideos ? root.div(rows, each) : root.integers(1), each);
        return new Frames(root.node("ConstantOfShape", List.of(sizes), Attributes.NONE, DataType.FLOAT32,
            List.of(videos, count)));
    }

    /** diffusers' {@code MidBlockTemporalDecoder}: however many layers it has, no more than two of them are used. */
    private Value mid(Scope scope, Value x, Frames frames) {
        Value first = resnet.apply(scope.child("resnets", 0), x, x.size(1), frames, Optional.empty());
        return config.layers() == 1 ? first : resnet.apply(scope.child("resnets", 1),
            blocks.attention(scope.child("attentions", 0), first), x.size(1), frames, Optional.empty());
    }

    private Value up(Scope scope, Value x, long channels, boolean doubles, Frames frames) {
        Value hidden = x;
        for (int i = 0; i <= config.layers(); i++) {
            hidden = resnet.apply(scope.child("resnets", i), hidden, channels, frames, Optional.empty());
        }
        Scope upsampler = scope.child("upsamplers", 0);
        return doubles ? Conv2d.apply(upsampler.child("conv"), upsampler.enlarge(hidden, 2), channels, 3) : hidden;
    }
}
