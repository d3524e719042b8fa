package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import java.util.Deque;
import java.util.Optional;

/**
 * Writes the blocks of a U-Net: {@code (CrossAttn)DownBlock2D}, {@code UNetMidBlock2D(CrossAttn)} and
 * {@code (CrossAttn)UpBlock2D}.
 */
final class BlockWriter {
    private final UNetConfig config;
    private final Conditions conditions;
    private final SpatialTransformer transformer;

    BlockWriter(UNetConfig config, Conditions conditions) {
        this.config = config;
        this.conditions = conditions;
        this.transformer = new SpatialTransformer(config.resnet().groups(), config.linearProjection());
    }

    /** @param skips gets what blocks on the way up will read, in order */
    Value down(Scope scope, Value x, UNetBlock block, boolean halve, Deque<Value> skips) {
        Value hidden = x;
        for (int i = 0; i < block.layers(); i++) {
            hidden = layer(scope, hidden, block, i);
            skips.push(hidden);
        }
        if (halve) {
            hidden = Conv2d.halving(scope.child("downsamplers", 0).child("conv"), hidden, block.channels(),
                config.downPadding());
            skips.push(hidden);
        }
        return hidden;
    }

    Value mid(Scope scope, Value x, UNetBlock block) {
        ResnetBlock common = config.resnet();
        ResnetBlock resnet = new ResnetBlock(common.groups(), common.epsilon(), common.activation(),
            common.scaleShift(), config.midScale());
        Value hidden = resnet.apply(scope.child("resnets", 0), x, block.channels(), Optional.of(conditions.time()));
        if (!block.attends()) {
            return hidden;
        }
        hidden = attention(scope, hidden, block, 0);
        return resnet.apply(scope.child("resnets", 1), hidden, block.channels(), Optional.of(conditions.time()));
    }

    /** @param skips what blocks on the way down made, the last on top */
    Value up(Scope scope, Value x, UNetBlock block, boolean enlarge, Deque<Value> skips) {
        Value hidden = x;
        for (int i = 0; i < block.layers(); i++) {
            hidden = layer(scope, scope.concat(1, hidden, skips.pop()), block, i);
        }
        if (enlarge) {
            // Twice as large, or a pixel less where halving has rounded up.
            Scope upsampler = scope.child("upsamplers", 0);
            Value enlarged = upsampler.enlargeTo(hidden, skips.element());
            hidden = Conv2d.apply(upsampler.child("conv"), enlarged, block.channels(), 3);
        }
        return hidden;
    }

    private Value layer(Scope scope, Value x, UNetBlock block, int index) {
        Value hidden = config.resnet().apply(scope.child("resnets", index), x, block.channels(),
            Optional.of(conditions.time()));
        return block.attends() ? attention(scope, hidden, block, index) : hidden;
    }

    private Value attention(Scope scope, Value x, UNetBlock block, int index) {
        return transformer.apply(scope.child("attentions", index), x, conditions.text().orElseThrow(), block,
            block.depths().get(index));
    }
}
