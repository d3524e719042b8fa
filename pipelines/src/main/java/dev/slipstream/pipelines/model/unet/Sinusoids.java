package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/**
 * diffusers' {@code Timesteps}: a number becomes sines and cosines of it at spaced frequencies.
 *
 * @param width how many, at least 2; the last of an odd number is 0
 * @param cosineFirst whether cosines come before sines
 * @param shift taken from the number of frequencies when they are spaced
 */
record Sinusoids(int width, boolean cosineFirst, double shift) {
    private static final double LONGEST_PERIOD = 10_000;

    /** @param x [..., 1] float32 @return [..., width] */
    Value apply(Scope scope, Value x) {
        Value angles = scope.mul(x, scope.reals(frequencies()));
        Value sines = scope.map("Sin", angles);
        Value cosines = scope.map("Cos", angles);
        Value waves = cosineFirst ? scope.concat(-1, cosines, sines) : scope.concat(-1, sines, cosines);
        return width % 2 == 0 ? waves : scope.concat(-1, waves, scope.mul(x, scope.reals(0)));
    }

    /** Rounded to float32 after each operation, as in PyTorch: an angle may be a thousand turns. */
    private float[] frequencies() {
        float[] frequencies = new float[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = (float) -Math.log(LONGEST_PERIOD) * i / (float) (frequencies.length - shift);
            frequencies[i] = (float) Math.exp(exponent);
        }
        return frequencies;
    }
}
