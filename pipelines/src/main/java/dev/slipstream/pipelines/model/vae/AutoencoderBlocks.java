package dev.slipstream.pipelines.model.vae;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import dev.slipstream.pipelines.model.vae.AutoencoderConfig.Block;
import java.util.Optional;

/** What encoder and decoder are made of. All values are [rows, channels, height, width]. */
final class AutoencoderBlocks {
    /** diffusers gives the norms of autoencoders no setting for it. */
    private static final double EPSILON = 1e-6;

    private final AutoencoderConfig config;
    private final ResnetBlock resnet;
    private final AttentionBlock attention;

    AutoencoderBlocks(AutoencoderConfig config) {
        this.config = config;
        this.resnet = new ResnetBlock(config.groups(), EPSILON, config.activation(), false, 1);
        this.attention = new AttentionBlock(config.groups(), EPSILON);
    }

    /** A block of the encoder. @param halves whether the picture is half as large behind it */
    Value down(Scope scope, Value x, Block block, boolean halves) {
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
        Value attended = config.midAttention() ? attention.apply(scope.child("attentions", 0), first) : first;
        return residual(scope.child("resnets", 1), attended, x.size(1));
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
}
