package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/** {@code torch.nn.Linear}: weights {@code weight} [outputs, inputs] and {@code bias} [outputs]. */
public final class Linear {
    private Linear() {
    }

    /** @param x [..., inputs] */
    public static Value apply(Scope scope, Value x, long outputs) {
        long inputs = x.size(-1);
        return x.rank() == 2
            ? scope.gemm(x, scope.weight("weight", outputs, inputs), scope.weight("bias", outputs))
            : scope.add(withoutBias(scope, x, outputs), scope.weight("bias", outputs));
    }

    public static Value withoutBias(Scope scope, Value x, long outputs) {
        return scope.matMul(x, transposed(scope, x.size(-1), outputs));
    }

    /** {@code factor} times the layer; the factor goes into the weights, which engines work out when they are built. */
    public static Value scaled(Scope scope, Value x, long outputs, double factor) {
        return scope.add(scaledWithoutBias(scope, x, outputs, factor),
            scope.mul(scope.weight("bias", outputs), scope.scalar(factor)));
    }

    public static Value scaledWithoutBias(Scope scope, Value x, long outputs, double factor) {
        return scope.matMul(x, scope.mul(transposed(scope, x.size(-1), outputs), scope.scalar(factor)));
    }

    /** Checkpoints have the outputs first, a product needs the inputs first; engines do this when they are built. */
    private static Value transposed(Scope scope, long inputs, long outputs) {
        return scope.transpose(scope.weight("weight", outputs, inputs), 1, 0);
    }
}
