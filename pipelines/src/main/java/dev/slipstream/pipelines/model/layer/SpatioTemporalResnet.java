package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;
import java.util.Optional;

/**
 * diffusers' {@code SpatioTemporalResBlock}: a residual block for each frame, then one along time, and a learned mix of
 * what the two make.
 *
 * @param spatial the block for each frame
 * @param temporalEpsilon of the norms of the block along time
 * @param mixesTemporalFirst whether the learned share is that of the block along time, as in decoders, and not that of
 *     the block for each frame
 */
public record SpatioTemporalResnet(ResnetBlock spatial, double temporalEpsilon, boolean mixesTemporalFirst) {
    /**
     * @param x [videos · frames, channels, height, width]
     * @param time of each video; empty in a decoder
     */
    public Value apply(Scope scope, Value x, long outputs, Frames frames, Optional<VideoTime> time) {
        Value still = spatial.apply(scope.child("spatial_res_block"), x, outputs, time.map(VideoTime::ofFrames));
        Value video = frames.alongTime(scope, still);
        Value moved = Frames.asRows(scope, temporal(scope.child("temporal_res_block"), video,
            time.map(VideoTime::ofVideos)), still);
        return mix(scope.child("time_mixer"), still, moved, mixesTemporalFirst);
    }

    /**
     * diffusers' {@code AlphaBlender} for videos.
     *
     * @param temporalFirst whether the learned share is that of {@code temporal}
     */
    public static Value mix(Scope scope, Value spatial, Value temporal, boolean temporalFirst) {
        Value share = scope.map("Sigmoid", scope.weight("mix_factor", 1));
        Value rest = scope.sub(scope.scalar(1), share);
        return scope.add(scope.mul(spatial, temporalFirst ? rest : share),
            scope.mul(temporal, temporalFirst ? share : rest));
    }

    /** diffusers' {@code TemporalResnetBlock}. @param x [videos, channels, frames, pixels] */
    private Value temporal(Scope scope, Value x, Optional<Value> time) {
        Value hidden = convolution(scope.child("conv1"), activated(scope.child("norm1"), x));
        if (time.isPresent()) {
            hidden = scope.add(hidden,
                ResnetBlock.perChannel(scope, Linear.apply(scope.child("time_emb_proj"), time.get(), x.size(1))));
        }
        return scope.add(x, convolution(scope.child("conv2"), activated(scope.child("norm2"), hidden)));
    }

    private Value activated(Scope norm, Value x) {
        return spatial.activation().apply(norm, GroupNorm.apply(norm, x, spatial.groups(), temporalEpsilon));
    }

    private static Value convolution(Scope scope, Value x) {
        return convolution(scope, x, x.size(1));
    }

    /**
     * {@code torch.nn.Conv3d} over three frames, with padding: each pixel by itself, so that it is a convolution over
     * frames and pixels, for which engines are fast.
     *
     * @param x [videos, channels, frames, pixels]
     * @return [videos, outputs, frames, pixels]
     */
    public static Value convolution(Scope scope, Value x, long outputs) {
        long inputs = x.size(1);
        Value weight = scope.view("weight", new long[] {outputs, inputs, 3, 1, 1}, outputs, inputs, 3, 1);
        return scope.node("Conv", List.of(x, weight, scope.weight("bias", outputs)),
            Attributes.NONE.integers("kernel_shape", 3, 1).integers("strides", 1, 1).integers("pads", 1, 0, 1, 0),
            x.type(), List.of(x.dim(0), Dim.of(outputs), x.dim(2), x.dim(3)));
    }

    /**
     * The embedded timestep, activated.
     *
     * @param ofVideos [videos, width]
     * @param ofFrames [videos · frames, width]
     */
    public record VideoTime(Value ofVideos, Value ofFrames) {
    }
}
