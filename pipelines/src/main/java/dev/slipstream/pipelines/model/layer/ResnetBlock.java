package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;
import java.util.Optional;

/**
 * diffusers' {@code ResnetBlock2D}: two convolutions with norms before them, a shortcut around them, and in denoisers
 * the timestep between them.
 *
 * @param groups of its norms
 * @param epsilon of its norms
 * @param activation before each convolution
 * @param scaleShift whether the timestep scales and shifts what the second norm makes, instead of being added before it
 * @param outputScale what the sum with the shortcut is divided by
 */
public record ResnetBlock(int groups, double epsilon, Activation activation, boolean scaleShift, double outputScale) {
    /**
     * @param x [rows, channels, height, width]
     * @param time the embedded timestep, activated, [rows or 1, channels]; empty in a VAE
     */
    public Value apply(Scope scope, Value x, long outputs, Optional<Value> time) {
        Value first = activation.apply(scope, GroupNorm.apply(scope.child("norm1"), x, groups, epsilon));
        Value hidden = Conv2d.apply(scope.child("conv1"), first, outputs, 3);
        if (time.isPresent() && !scaleShift) {
            hidden = scope.add(hidden, project(scope, time.get(), outputs));
        }
        hidden = GroupNorm.apply(scope.child("norm2"), hidden, groups, epsilon);
        if (time.isPresent() && scaleShift) {
            List<Value> halves = scope.split(Linear.apply(scope.child("time_emb_proj"), time.get(), 2 * outputs), 2);
            Value scale = scope.add(perChannel(scope, halves.getFirst()), scope.scalar(1));
            hidden = scope.add(scope.mul(hidden, scale), perChannel(scope, halves.getLast()));
        }
        hidden = Conv2d.apply(scope.child("conv2"), activation.apply(scope, hidden), outputs, 3);
        Value shortcut = x.size(1) == outputs ? x : Conv2d.apply(scope.child("conv_shortcut"), x, outputs, 1);
        Value sum = scope.add(shortcut, hidden);
        return outputScale == 1 ? sum : scope.div(sum, scope.scalar(outputScale));
    }

    private static Value project(Scope scope, Value time, long outputs) {
        return perChannel(scope, Linear.apply(scope.child("time_emb_proj"), time, outputs));
    }

    /** Works for any number of rows: a graph that was written for one timestep may be run with one for each row. */
    static Value perChannel(Scope scope, Value x) {
        return scope.node("Reshape", List.of(x, scope.integers(-1, x.size(1), 1, 1)), Attributes.NONE, x.type(),
            List.of(x.dim(0), x.dim(1), Dim.ONE, Dim.ONE));
    }
}
