package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code torch.nn.RMSNorm} over the last axis: {@code x / √(mean(x²) + epsilon) · weight}, with no mean and no bias.
 *
 * <p>Written in elementary operators, in the order that ONNX Runtime and TensorRT know as one.
 */
public final class RmsNorm {
    private RmsNorm() {
    }

    public static Value apply(Scope scope, Value x, double epsilon) {
        return apply(scope, x, epsilon, scope.weight("weight", x.size(-1)));
    }

    /** @param weight [the last size of x], or a shape that broadcasts */
    public static Value apply(Scope scope, Value x, double epsilon, Value weight) {
        Value squares = scope.node("Pow", List.of(x, scope.scalar(2)), Attributes.NONE, x.type(), x.dims());
        List<Dim> one = new ArrayList<>(x.dims());
        one.set(x.rank() - 1, Dim.ONE);
        Value mean = scope.node("ReduceMean", List.of(squares),
            Attributes.NONE.integers("axes", -1).integer("keepdims", 1), x.type(), one);
        Value deviation = scope.map("Sqrt", scope.add(mean, scope.scalar(epsilon)));
        return scope.mul(scope.div(x, deviation), weight);
    }
}
