package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.Arrays;

/**
 * {@code torch.nn.GroupNorm}: weights {@code weight} and {@code bias}, one number for each channel.
 *
 * <p>Written as exporters do, with a group in the place of a channel of an instance norm: TensorRT knows the pattern,
 * and ONNX Runtime has no kernel for the operator GroupNormalization.
 */
public final class GroupNorm {
    private GroupNorm() {
    }

    /** @param x [rows, channels, ...] */
    public static Value apply(Scope scope, Value x, int groups, double epsilon) {
        long channels = x.size(1);
        if (channels % groups != 0) {
            throw new GraphException(channels + " channels cannot be normalised in " + groups + " groups; the number "
                + "of groups does not fit the widths of the blocks");
        }
        Dim rest = Dim.of(channels / groups);
        for (int axis = 2; axis < x.rank(); axis++) {
            rest = rest.times(x.dim(axis));
        }
        Value grouped = scope.reshape(x, x.dim(0), Dim.of(groups), rest);
        Value normal = scope.reshapeLike(scope.instanceNorm(grouped, epsilon), x);
        return scope.add(scope.mul(normal, perChannel(scope, "weight", x)), perChannel(scope, "bias", x));
    }

    private static Value perChannel(Scope scope, String name, Value x) {
        long[] shape = {x.size(1)};
        long[] view = new long[x.rank() - 1];
        Arrays.fill(view, 1);
        view[0] = shape[0];
        return scope.view(name, shape, view);
    }
}
