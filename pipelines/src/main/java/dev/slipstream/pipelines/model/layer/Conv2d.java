package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/** {@code torch.nn.Conv2d}: weights {@code weight} [outputs, inputs, kernel, kernel] and {@code bias} [outputs]. */
public final class Conv2d {
    private Conv2d() {
    }

    /** With padding that keeps the size. @param x [rows, channels, height, width], {@code kernel} odd */
    public static Value apply(Scope scope, Value x, long outputs, int kernel) {
        return scope.conv(x, weight(scope, x, outputs, kernel), scope.weight("bias", outputs), 1, (kernel - 1) / 2);
    }

    /** As {@link #apply}, of a layer that has no bias. */
    public static Value withoutBias(Scope scope, Value x, long outputs, int kernel) {
        return scope.conv(x, weight(scope, x, outputs, kernel), 1, (kernel - 1) / 2);
    }

    /**
     * Kernel 3, every second pixel.
     *
     * @param padding 1 on all sides, or 0, which in these networks means one pixel below and on the right
     */
    public static Value halving(Scope scope, Value x, long outputs, int padding) {
        return scope.conv(x, weight(scope, x, outputs, 3), scope.weight("bias", outputs), 2, padding, 1);
    }

    /** As {@link #halving} with padding 1, of a layer that has no bias. */
    public static Value halvingWithoutBias(Scope scope, Value x, long outputs) {
        return scope.conv(x, weight(scope, x, outputs, 3), 2, 1);
    }

    private static Value weight(Scope scope, Value x, long outputs, int kernel) {
        return scope.weight("weight", outputs, x.size(1), kernel, kernel);
    }
}
