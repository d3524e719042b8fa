package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.file.AtomicFolder;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Every way of writing a change gives what its formula says of each element, computed here in double precision. */
class AdapterPropertyTest {
    private static final String WEIGHT = "mid_block.attentions.0.proj_in.weight";
    private static final String NAME = "lora_unet_mid_block_attentions_0_proj_in.";
    private static final int RANK = 3;

    /** An element of the change. */
    private interface Formula {
        double at(int output, int input, int pixel);
    }

    /** A weight of random sizes, and a file that changes it. */
    private static final class Case {
        private final Random random;
        private final Map<String, StoredTensor> file = new LinkedHashMap<>();
        private final int outer;
        private final int outputs;
        private final int inner;
        private final int inputs;
        private final int kernel;
        private final float[] base;

        Case(int seed) {
            random = new Random(seed);
            outer = 1 + random.nextInt(3);
            outputs = outer * (1 + random.nextInt(4));
            inner = 1 + random.nextInt(3);
            inputs = inner * (1 + random.nextInt(4));
            kernel = random.nextBoolean() ? 3 : 1;
            base = MergedWeights.random(random, outputs, inputs, kernel, kernel).toFloats();
        }

        float[] put(String name, long... dims) {
            StoredTensor tensor = MergedWeights.random(random, dims);
            file.put(NAME + name, tensor);
            return tensor.toFloats();
        }

        void alpha(double alpha) {
            file.put(NAME + "alpha", StoredTensor.of(Shape.of(1), (float) alpha));
        }

        int pixels() {
            return kernel * kernel;
        }

        /** {@code Σ up[output, r] · down[r, input, pixel]}. */
        Formula product(String up, String down, int outputs, int inputs, int pixels) {
            float[] first = put(up, outputs, RANK);
            float[] second = put(down, RANK, (long) inputs * pixels);
            return (o, i, p) -> {
                double sum = 0;
                for (int r = 0; r < RANK; r++) {
                    sum += (double) first[o * RANK + r] * second[(r * inputs + i) * pixels + p];
                }
                return sum;
            };
        }

        /** LyCORIS': {@code einsum("i j k l, j r, i p -> p r k l", core, down, up)}. */
        Formula tucker(String up, String core, String down, int outputs, int inputs) {
            float[] first = put(up, RANK, outputs);
            float[] middle = put(core, RANK, RANK, kernel, kernel);
            float[] second = put(down, RANK, inputs);
            return (o, i, p) -> {
                double sum = 0;
                for (int a = 0; a < RANK; a++) {
                    for (int b = 0; b < RANK; b++) {
                        sum += (double) first[a * outputs + o] * middle[(a * RANK + b) * pixels() + p]
                            * second[b * inputs + i];
                    }
                }
                return sum;
            };
        }

        void assertMerged(double weight, Formula expected) throws IOException {
            Path folder = Files.createTempDirectory("adapter");
            try {
                MergedWeights merge = new MergedWeights(folder);
                StoredTensor stored = StoredTensor.of(Shape.of(outputs, inputs, kernel, kernel), base);
                float[] merged = merge.merged(Map.of(WEIGHT, stored), Loras.NONE.and(merge.lora(file), weight))
                    .get(WEIGHT);
                for (int at = 0; at < merged.length; at++) {
                    int pixel = at % pixels();
                    double right = expected.at(at / pixels() / inputs, at / pixels() % inputs, pixel);
                    assertEquals(right, merged[at], 1e-4 * (1 + Math.abs(right)), file.keySet() + " element " + at);
                }
            } finally {
                AtomicFolder.delete(folder);
            }
        }

        void assertAdded(double factor, Formula change) throws IOException {
            assertMerged(0.5, (o, i, p) -> base(o, i, p) + 0.5 * factor * change.at(o, i, p));
        }

        double base(int output, int input, int pixel) {
            return base[(output * inputs + input) * pixels() + pixel];
        }
    }

    @Property(tries = 8)
    void aHadamardProductIsTakenElementByElement(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        Formula one = it.product("hada_w1_a", "hada_w1_b", it.outputs, it.inputs, it.pixels());
        Formula other = it.product("hada_w2_a", "hada_w2_b", it.outputs, it.inputs, it.pixels());
        it.alpha(2);
        it.assertAdded(2.0 / RANK, (o, i, p) -> one.at(o, i, p) * other.at(o, i, p));
    }

    @Property(tries = 8)
    void aHadamardProductMayHaveCores(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        Formula one = it.tucker("hada_w1_a", "hada_t1", "hada_w1_b", it.outputs, it.inputs);
        Formula other = it.tucker("hada_w2_a", "hada_t2", "hada_w2_b", it.outputs, it.inputs);
        it.alpha(-1);
        it.assertAdded(-1.0 / RANK, (o, i, p) -> one.at(o, i, p) * other.at(o, i, p));
    }

    @Property(tries = 24)
    void aKroneckerProductRepeatsBlocks(@ForAll @IntRange(min = 1) int seed, @ForAll boolean firstFactored,
        @ForAll @IntRange(max = 2) int second) throws IOException {
        Case it = new Case(seed);
        int height = it.outputs / it.outer;
        int width = it.inputs / it.inner;
        Formula one;
        if (firstFactored) {
            one = it.product("lokr_w1_a", "lokr_w1_b", it.outer, it.inner, 1);
        } else {
            float[] whole = it.put("lokr_w1", it.outer, it.inner);
            one = (o, i, p) -> whole[o * it.inner + i];
        }
        Formula other;
        if (second == 0) {
            float[] whole = it.put("lokr_w2", height, width, it.kernel, it.kernel);
            other = (o, i, p) -> whole[(o * width + i) * it.pixels() + p];
        } else if (second == 1) {
            other = it.product("lokr_w2_a", "lokr_w2_b", height, width, it.pixels());
        } else {
            other = it.tucker("lokr_w2_a", "lokr_t2", "lokr_w2_b", height, width);
        }
        it.alpha(2);
        // LyCORIS counts alpha only where there is a rank to divide it by.
        it.assertAdded(firstFactored || second > 0 ? 2.0 / RANK : 1,
            (o, i, p) -> one.at(o / height, i / width, 0) * other.at(o % height, i % width, p));
    }

    @Property(tries = 8)
    void aConvolutionMayBeInThree(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        float[] up = it.put("lora_up.weight", it.outputs, RANK, 1, 1);
        float[] mid = it.put("lora_mid.weight", RANK, RANK, it.kernel, it.kernel);
        float[] down = it.put("lora_down.weight", RANK, it.inputs, 1, 1);
        it.alpha(6);
        it.assertAdded(6.0 / RANK, (o, i, p) -> {
            double sum = 0;
            for (int a = 0; a < RANK; a++) {
                for (int b = 0; b < RANK; b++) {
                    sum += (double) up[o * RANK + a] * mid[(a * RANK + b) * it.pixels() + p] * down[b * it.inputs + i];
                }
            }
            return sum;
        });
    }

    @Property(tries = 8)
    void aFullDifferenceIsAddedWhateverAlphaSays(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        float[] difference = it.put("diff", it.outputs, it.inputs, it.kernel, it.kernel);
        it.alpha(7);
        it.assertAdded(1, (o, i, p) -> difference[(o * it.inputs + i) * it.pixels() + p]);
    }

    @Property(tries = 8)
    void aTrainedScalarScalesTheChange(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        Formula change = it.product("lora_up.weight", "lora_down.weight", it.outputs, it.inputs, it.pixels());
        double scalar = it.put("scalar")[0];
        it.assertAdded(scalar, change);
    }

    @Property(tries = 12)
    void doraStretchesEachOutputToItsLength(@ForAll @IntRange(min = 1) int seed, @ForAll boolean ofPeft)
        throws IOException {
        Case it = new Case(seed);
        Formula change = it.product("lora_up.weight", "lora_down.weight", it.outputs, it.inputs, it.pixels());
        it.alpha(2);
        // A single output could not be told from a single input; PEFT's name says outputs whatever the shape.
        float[] lengths = ofPeft ? it.put("lora_magnitude_vector", 1, it.outputs, 1, 1)
            : it.put("dora_scale", it.outputs, 1, 1, 1);
        it.assertMerged(0.7, (o, i, p) -> {
            double squares = 0;
            for (int at = 0; at < it.inputs * it.pixels(); at++) {
                squares += Math.pow(directionOf(it, change, o, at / it.pixels(), at % it.pixels()), 2);
            }
            double whole = lengths[o] * directionOf(it, change, o, i, p) / Math.sqrt(squares);
            return it.base(o, i, p) + 0.7 * (whole - it.base(o, i, p));
        });
    }

    @Property(tries = 8)
    void lengthsOfLycorisMayBeThoseOfInputs(@ForAll @IntRange(min = 1) int seed) throws IOException {
        Case it = new Case(seed);
        if (it.outputs == 1) {
            return;
        }
        Formula change = it.product("hada_w1_a", "hada_w1_b", it.outputs, it.inputs, it.pixels());
        Formula other = it.product("hada_w2_a", "hada_w2_b", it.outputs, it.inputs, it.pixels());
        Formula both = (o, i, p) -> change.at(o, i, p) * other.at(o, i, p) * RANK / 2 * 1.5;
        it.alpha(1.5);
        it.file.put(NAME + "scalar", StoredTensor.of(Shape.of(), RANK));
        float[] lengths = it.put("dora_scale", 1, it.inputs, 1, 1);
        it.assertMerged(1, (o, i, p) -> {
            double squares = 0;
            for (int at = 0; at < it.outputs * it.pixels(); at++) {
                squares += Math.pow(directionOf(it, both, at / it.pixels(), i, at % it.pixels()), 2);
            }
            return lengths[i] * directionOf(it, both, o, i, p) / Math.sqrt(squares);
        });
    }

    /** W + alpha / rank · change, where alpha is 2. */
    private static double directionOf(Case it, Formula change, int output, int input, int pixel) {
        return it.base(output, input, pixel) + 2.0 / RANK * change.at(output, input, pixel);
    }
}
