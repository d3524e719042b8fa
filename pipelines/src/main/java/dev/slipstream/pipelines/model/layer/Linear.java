package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/**
 * {@code torch.nn.Linear}: weights {@code weight} [outputs, inputs] and {@code bias} [outputs].
 *
 * <p>For a matrix it is one operator, which takes the weight as it is stored. For more dimensions it is a product with
 * the transposed weight; engines transpose it once, when they are built.
 */
public final class Linear {
    private Linear() {
    }

    /** @param x [..., inputs] */
    public static Value apply(Scope scope, Value x, long outputs) {
        return x.rank() == 2 ? scope.gemm(x, weight(scope, x, outputs), scope.weight("bias", outputs))
            : scope.add(withoutBias(scope, x, outputs), scope.weight("bias", outputs));
    }

    public static Value withoutBias(Scope scope, Value x, long outputs) {
        return x.rank() == 2 ? scope.gemm(x, weight(scope, x, outputs), 1)
            : scope.matMul(x, scope.transpose(weight(scope, x, outputs), 1, 0));
    }

    /** {@code factor} times the layer; the factor costs nothing when the engine runs. */
    public static Value scaled(Scope scope, Value x, long outputs, double factor) {
        if (x.rank() == 2) {
            return scope.gemm(x, weight(scope, x, outputs), scope.weight("bias", outputs), factor);
        }
        return scope.add(scaledWithoutBias(scope, x, outputs, factor),
            scope.mul(scope.weight("bias", outputs), scope.scalar(factor)));
    }

    public static Value scaledWithoutBias(Scope scope, Value x, long outputs, double factor) {
        return x.rank() == 2 ? scope.gemm(x, weight(scope, x, outputs), factor) : scope.matMul(x,
            scope.mul(scope.transpose(weight(scope, x, outputs), 1, 0), scope.scalar(factor)));
    }

    private static Value weight(Scope scope, Value x, long outputs) {
        return scope.weight("weight", outputs, x.size(-1));
    }
}
