package dev.slipstream.pipelines.model.vae;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import dev.slipstream.pipelines.model.vae.AutoencoderConfig.Block;
import java.util.List;
import java.util.Optional;

/** The blocks of encoder and decoder. All values are [rows, channels, height, width]. */
final class AutoencoderBlocks {
    /** diffusers has no setting for it in autoencoders. */
    private static final double EPSILON = 1e-6;

    private final AutoencoderConfig config;
    private final ResnetBlock resnet;
    private final AttentionBlock attention;

    AutoencoderBlocks(AutoencoderConfig config) {
        this.config = config;
        this.resnet = new ResnetBlock(config.groups(), EPSILON, config.activation(), false, 1);
        this.attention = new AttentionBlock(config.groups(), EPSILON);
    }

    /** diffusers' {@code Encoder}, and the convolution behind it. @param graph gets the input and the output */
    void writeEncoder(GraphBuilder graph) {
        Scope encoder = graph.root().child("encoder");
        Value x = graph.input(AutoencoderKl.SAMPLE, DataType.FLOAT32, Dim.named("batch_size"),
            Dim.of(config.pictureChannels()), Dim.named("height"), Dim.named("width"));
        List<Block> down = config.down();
        x = Conv2d.apply(encoder.child("conv_in"), x, down.getFirst().channels(), 3);
        for (int i = 0; i < down.size(); i++) {
            x = down(encoder.child("down_blocks", i), x, down.get(i), i < down.size() - 1);
        }
        int parameters = 2 * config.latentChannels();
        x = out(encoder, mid(encoder.child("mid_block"), x), parameters);
        graph.output(AutoencoderKl.LATENT_PARAMETERS,
            config.quantConv() ? Conv2d.apply(graph.root().child("quant_conv"), x, parameters, 1) : x);
    }

    /** A block of the encoder. @param halves whether the picture is half as large behind it */
    private Value down(Scope scope, Value x, Block block, boolean halves) {
        Value hidden = layers(scope, x, block, config.layers());
        return halves ? Conv2d.halving(scope.child("downsamplers.0").child("conv"), hidden, block.channels(), 0)
            : hidden;
    }

    /** A block of the decoder. @param doubles whether the picture is twice as large behind it */
    Value up(Scope scope, Value x, Block block, boolean doubles) {
        Value hidden = layers(scope, x, block, config.layers() + 1);
        Scope upsampler = scope.child("upsamplers.0");
        return doubles ? Conv2d.apply(upsampler.child("conv"), upsampler.enlarge(hidden, 2), block.channels(), 3)
            : hidden;
    }

    private Value layers(Scope scope, Value x, Block block, int count) {
        Value hidden = x;
        for (int i = 0; i < count; i++) {
            hidden = residual(scope.child("resnets", i), hidden, block.channels());
            if (block.attends()) {
                hidden = attention.apply(scope.child("attentions", i), hidden);
            }
        }
        return hidden;
    }

    Value mid(Scope scope, Value x) {
        Value first = residual(scope.child("resnets", 0), x, x.size(1));
        Value attended = config.midAttention() ? attention(scope.child("attentions", 0), first) : first;
        return residual(scope.child("resnets", 1), attended, x.size(1));
    }

    /** @param scope of the attention, not of the block that it is in */
    Value attention(Scope scope, Value x) {
        return attention.apply(scope, x);
    }

    private Value residual(Scope scope, Value x, long channels) {
        return resnet.apply(scope, x, channels, Optional.empty());
    }

    /** The last layers; their activation is SiLU whatever the configuration says. */
    Value out(Scope scope, Value x, long channels) {
        Value normal = GroupNorm.apply(scope.child("conv_norm_out"), x, config.groups(), EPSILON);
        Value activated = Activation.SILU.apply(scope.child("conv_act"), normal);
        return Conv2d.apply(scope.child("conv_out"), activated, channels, 3);
    }

    /**
     * Attention among the pixels of a picture, with one head and a shortcut around it.
     *
     * <p>Its weights are called {@code to_q, to_k, to_v, to_out.0}, or {@code query, key, value, proj_attn} as
     * older releases of diffusers saved them. They are linear layers, in some checkpoints stored as 1×1
     * convolutions.
     */
    private record AttentionBlock(int groups, double epsilon) {
        /** @param x [rows, channels, height, width] */
        Value apply(Scope scope, Value x) {
            boolean old = scope.child("query").has("weight");
            Value normal = GroupNorm.apply(scope.child("group_norm"), x, groups, epsilon);
            Dim pixels = x.dim(2).times(x.dim(3));
            Value tokens = scope.transpose(scope.reshape(normal, x.dim(0), x.dim(1), pixels), 0, 2, 1);
            Value query = project(scope.child(old ? "query" : "to_q"), tokens, Heads.scale(x.size(1), 1));
            Value key = project(scope.child(old ? "key" : "to_k"), tokens, 1);
            Value value = project(scope.child(old ? "value" : "to_v"), tokens, 1);
            Value mixed = project(scope.child(old ? "proj_attn" : "to_out.0"),
                Heads.attend(scope, query, key, value, 1, Optional.empty()), 1);
            return scope.add(x, scope.reshapeLike(scope.transpose(mixed, 0, 2, 1), x));
        }

        /** @param factor is multiplied into the weights, which costs engines nothing when they run */
        private static Value project(Scope scope, Value x, double factor) {
            long width = x.size(-1);
            boolean convolution = scope.rank("weight").orElse(2) == 4;
            Value stored = scope.view("weight",
                convolution ? new long[] {width, width, 1, 1} : new long[] {width, width},
                new long[] {width, width});
            Value weight = scope.transpose(stored, 1, 0);
            Value bias = scope.weight("bias", width);
            return factor == 1 ? scope.add(scope.matMul(x, weight), bias)
                : scope.add(scope.matMul(x, scope.mul(weight, scope.scalar(factor))),
                    scope.mul(bias, scope.scalar(factor)));
        }
    }
}
