package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/**
 * diffusers' {@code Timesteps}: a number becomes sines and cosines of it at spaced frequencies.
 *
 * @param width how many, at least 2; the last of an odd number is 0
 * @param cosineFirst whether cosines come before sines
 * @param shift taken from the number of frequencies when they are spaced
 * @param exponential by which they are spaced
 */
public record Sinusoids(int width, boolean cosineFirst, double shift, Exponential exponential) {
    private static final double LONGEST_PERIOD = 10_000;

    /** Correctly rounded. */
    public Sinusoids(int width, boolean cosineFirst, double shift) {
        this(width, cosineFirst, shift, Exponential.ROUNDED);
    }

    /** @param x [..., 1] float32 @return [..., width] */
    public Value apply(Scope scope, Value x) {
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
            frequencies[i] = exponential.of(exponent);
        }
        return frequencies;
    }

    /** An exponential function in float32. What is a thousand turns shows the last bit of its frequency. */
    public enum Exponential {
        /** The nearest float32. */
        ROUNDED {
            @Override
            float of(float x) {
                return (float) Math.exp(x);
            }
        },
        /**
         * PyTorch's on CPUs, that of the SLEEF library (Shibata and Petrogalli 2020): off by up to one unit in the last
         * place, as the frequencies with which models are compared are.
         */
        SLEEF {
            private static final float[] COEFFICIENTS = {0.000198527617612853646278381f, 0.00139304355252534151077271f,
                0.00833336077630519866943359f, 0.0416664853692054748535156f, 0.166666671633720397949219f, 0.5f};
            /** The logarithm of 2 in two parts, of which the first has few bits. */
            private static final float LN2_UPPER = 0.693145751953125f;
            private static final float LN2_LOWER = 1.428606765330187045e-06f;

            @Override
            float of(float x) {
                float halvings = (float) Math.rint(x * (float) (1 / Math.log(2)));
                float rest = Math.fma(halvings, -LN2_LOWER, Math.fma(halvings, -LN2_UPPER, x));
                float sum = COEFFICIENTS[0];
                for (int i = 1; i < COEFFICIENTS.length; i++) {
                    sum = Math.fma(sum, rest, COEFFICIENTS[i]);
                }
                return Math.scalb(1 + Math.fma(rest * rest, sum, rest), (int) halvings);
            }
        };

        abstract float of(float x);
    }
}
