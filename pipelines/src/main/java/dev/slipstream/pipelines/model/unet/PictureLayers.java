package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import java.util.Optional;

/**
 * The layers of {@code (CrossAttn)DownBlock2D}, {@code UNetMidBlock2D(CrossAttn)} and {@code (CrossAttn)UpBlock2D}:
 * residual blocks, and transformers that read the text.
 *
 * @param time the embedded timestep, activated, [rows or 1, width]
 * @param text {@code encoder_hidden_states} [rows, tokens, width]; empty if no block attends
 */
record PictureLayers(UNetConfig config, Value time, Optional<Value> text) implements UNetLayers {
    @Override
    public Value down(Scope scope, Value x, int level, int index) {
        return layer(scope, x, config.blocks().down().get(level), index);
    }

    @Override
    public Value up(Scope scope, Value x, int level, int index) {
        return layer(scope, x, config.blocks().up().get(level), index);
    }

    private Value layer(Scope scope, Value x, UNetBlock block, int index) {
        Value hidden = config.resnet().apply(scope.child("resnets", index), x, block.channels(), Optional.of(time));
        return block.attends() ? attention(scope, hidden, block, index) : hidden;
    }

    @Override
    public Value mid(Scope scope, Value x, UNetBlock block) {
        return mid(scope, x, block, (hidden, index) -> hidden);
    }

    /** @param afterAttention what comes between each attention and the residual block behind it */
    Value mid(Scope scope, Value x, UNetBlock block, Between afterAttention) {
        Value hidden = midResnet(scope, x, block, 0);
        for (int i = 0; block.attends() && i < block.layers(); i++) {
            hidden = midResnet(scope, afterAttention.apply(attention(scope, hidden, block, i), i), block, i + 1);
        }
        return hidden;
    }

    /** A further layer of a block. */
    @FunctionalInterface
    interface Between {
        Value apply(Value hidden, int index);
    }

    private Value midResnet(Scope scope, Value x, UNetBlock block, int index) {
        ResnetBlock common = config.resnet();
        return new ResnetBlock(common.groups(), common.epsilon(), common.activation(), common.scaleShift(),
            config.midScale()).apply(scope.child("resnets", index), x, block.channels(), Optional.of(time));
    }

    private Value attention(Scope scope, Value x, UNetBlock block, int index) {
        return new SpatialTransformer(config.resnet().groups(), config.linearProjection())
            .apply(scope.child("attentions", index), x, text.orElseThrow(), block, block.depths().get(index));
    }
}
