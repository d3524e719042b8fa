package dev.slipstream.pipelines.model.vae;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.vae.AutoencoderConfig.Block;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.util.List;
import java.util.Map;

/**
 * Writes both halves of diffusers' {@code AutoencoderKL} as graphs, with the names that optimum's exports have. Scaling
 * and shifting of latents is not in them; see {@link dev.slipstream.pipelines.model.config.DecoderConfig}. Errors of
 * both methods:
 *
 * <p>{@link dev.slipstream.pipelines.model.ModelException} names the option that is wrong or not supported; {@link
 * dev.slipstream.pipelines.graph.GraphException} names weights that are missing or of other shapes.
 */
public final class AutoencoderKl {
    /** Input of the encoder, and output of the decoder. */
    public static final String SAMPLE = "sample";
    public static final String LATENT_SAMPLE = "latent_sample";
    public static final String LATENT_PARAMETERS = "latent_parameters";

    private final AutoencoderConfig config;
    private final AutoencoderBlocks blocks;
    private final GraphBuilder graph;

    private AutoencoderKl(ConfigFile config, GraphBuilder graph) {
        this.config = AutoencoderConfig.read(config);
        this.blocks = new AutoencoderBlocks(this.config);
        this.graph = graph;
    }

    /** The weights that a checkpoint of this configuration has, with their shapes. */
    public static Map<String, Shape> weights(ConfigFile config) {
        GraphBuilder both = new GraphBuilder(config.path().toString(), config.path().toAbsolutePath().getParent(),
            Map.of());
        writeEncoder(config, both, GraphOptions.NONE);
        writeDecoder(config, both, GraphOptions.NONE);
        return both.wanted();
    }

    /**
     * From {@code sample} float32[batch_size, 3, height, width], values from -1 to 1, to {@code latent_parameters}
     * float32[batch_size, 2 · channels, height / 8, width / 8]: means of the latents' distributions, then logarithms of
     * their variances, which diffusers clamps to -30 to 20. The sizes are multiples of 8, or of another power of 2 if
     * the number of blocks is another.
     */
    public static BuiltGraph encoder(ConfigFile config, Checkpoint checkpoint) {
        GraphBuilder graph = checkpoint.graph();
        writeEncoder(config, graph, GraphOptions.NONE);
        return graph.build();
    }

    /** As {@link #encoder}, into a builder. */
    public static void writeEncoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderBlocks(AutoencoderConfig.read(config)).writeEncoder(graph);
    }

    /**
     * From {@code latent_sample} float32[batch_size, channels, height_latent, width_latent] to {@code sample}
     * float32[batch_size, 3, 8 · height_latent, 8 · width_latent], values from about -1 to 1.
     */
    public static BuiltGraph decoder(ConfigFile config, Checkpoint checkpoint) {
        GraphBuilder graph = checkpoint.graph();
        writeDecoder(config, graph, GraphOptions.NONE);
        return graph.build();
    }

    /** As {@link #decoder}, into a builder. */
    public static void writeDecoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderKl(config, graph).writeDecoder();
    }

    private void writeDecoder() {
        Scope decoder = graph.root().child("decoder");
        Value x = graph.input(LATENT_SAMPLE, DataType.FLOAT32, Dim.named("batch_size"), Dim.of(config.latentChannels()),
            Dim.named("height_latent"), Dim.named("width_latent"));
        if (config.postQuantConv()) {
            x = Conv2d.apply(graph.root().child("post_quant_conv"), x, config.latentChannels(), 1);
        }
        List<Block> up = config.up();
        x = Conv2d.apply(decoder.child("conv_in"), x, up.getFirst().channels(), 3);
        x = blocks.mid(decoder.child("mid_block"), x);
        for (int i = 0; i < up.size(); i++) {
            x = blocks.up(decoder.child("up_blocks", i), x, up.get(i), i < up.size() - 1);
        }
        graph.output(SAMPLE, blocks.out(decoder, x, config.decodedChannels()));
    }
}
