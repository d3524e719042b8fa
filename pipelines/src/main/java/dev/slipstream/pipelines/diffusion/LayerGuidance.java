package dev.slipstream.pipelines.diffusion;

import java.util.Arrays;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Skip-layer guidance, as Stability AI advise it for Stable Diffusion 3.5 medium (diffusers' {@code
 * skip_guidance_layers}): at some of the first steps the model also predicts without some of its blocks, and what these
 * add to the prediction with the prompt counts for more, which mends shapes such as hands. At these steps a prediction
 * takes up to twice as long. Immutable; any thread may use it. Numbers out of range are an {@link
 * IllegalArgumentException} here.
 *
 * @see DiffusionPipeline.Builder#layerGuidance
 */
public final class LayerGuidance {
    private static final double USUAL_SCALE = 2.8;
    private static final double USUAL_BEGIN = 0.01;
    private static final double USUAL_END = 0.2;
    private static final double MOST_SCALE = 1_000;

    private final Settings all;

    private LayerGuidance(Settings all) {
        this.all = all;
    }

    private record Settings(SortedSet<Integer> blocks, double scale, double from, double to) {
        Settings {
            blocks = Collections.unmodifiableSortedSet(new TreeSet<>(blocks));
            if (blocks.isEmpty() || blocks.first() < 0) {
                throw new IllegalArgumentException("skipped layers are numbers of blocks from 0 on, at least one, not "
                    + blocks);
            }
            if (!(scale >= 0 && scale <= MOST_SCALE)) {
                throw new IllegalArgumentException("skipped layers count from 0 to " + MOST_SCALE + ", not " + scale);
            }
            if (!(from >= 0 && from < to && to <= 1)) {
                throw new IllegalArgumentException("layers are skipped from a share of the steps to a larger one, "
                    + "between 0 and 1, not from " + from + " to " + to);
            }
        }
    }

    /** These blocks, counted from 0, with the usual scale and steps; 7, 8 and 9 of Stable Diffusion 3.5 medium. */
    public static LayerGuidance of(int... blocks) {
        return new LayerGuidance(new Settings(Arrays.stream(blocks).boxed().collect(Collectors.toCollection(
            TreeSet::new)), USUAL_SCALE, USUAL_BEGIN, USUAL_END));
    }

    /** The blocks, counted from 0. */
    public SortedSet<Integer> blocks() {
        return all.blocks;
    }

    /** How much more what they add counts: 2.8 if not said. diffusers' skip_layer_guidance_scale. */
    public double scale() {
        return all.scale;
    }

    /** The share of the steps after which it begins: 0.01 if not said. diffusers' skip_layer_guidance_start. */
    public double from() {
        return all.from;
    }

    /** The share of the steps before which it ends: 0.2 if not said. diffusers' skip_layer_guidance_stop. */
    public double to() {
        return all.to;
    }

    public LayerGuidance withScale(double factor) {
        return new LayerGuidance(new Settings(all.blocks, factor, all.from, all.to));
    }

    /** At the i-th of n steps, from 0, if i is more than {@code begin · n} and less than {@code end · n}. */
    public LayerGuidance withRange(double begin, double end) {
        return new LayerGuidance(new Settings(all.blocks, all.scale, begin, end));
    }

    /** The steps at which it rests. */
    Set<Integer> rests(int steps) {
        return IntStream.range(0, steps).filter(step -> !(all.scale > 0 && step > all.from * steps
            && step < all.to * steps)).boxed().collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LayerGuidance guidance && all.equals(guidance.all);
    }

    @Override
    public int hashCode() {
        return all.hashCode();
    }

    @Override
    public String toString() {
        return "LayerGuidance" + all.toString().substring("Settings".length());
    }
}
