package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.RecipeRequest;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Film;
import dev.slipstream.pipelines.diffusion.family.Usual;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What every request says, whatever is drawn. Immutable. A new setting is a component, and a method that changes it;
 * each kind of request hands on those that its callers shall see.
 *
 * @param steps if said
 * @param weight of the prompt, if said; {@code rescale} is how that is tempered, see {@link Guidance}
 * @param seed empty for one that is drawn at random when the request is submitted
 * @param scheduler the noise scheduler by name, if not the model's own
 * @param width pixels, if said; likewise {@code height}
 * @param cache what it has to do with a cache of latents
 */
record RequestCore(String prompt, String negative, OptionalInt steps, OptionalDouble weight, double rescale,
    OptionalLong seed, Optional<String> scheduler, OptionalInt width, OptionalInt height, int previewEvery,
    Conditioning conditioning, CacheUse cache) {

    RequestCore {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negative, "negative");
        Objects.requireNonNull(conditioning, "conditioning");
        Objects.requireNonNull(cache, "cache");
        steps.ifPresent(count -> {
            if (count < 1 || count > ImageRequest.MOST_STEPS) {
                throw new IllegalArgumentException("a picture takes 1 to " + ImageRequest.MOST_STEPS + " steps, not "
                    + count);
            }
        });
        guidance(weight.orElse(1), rescale);
        long pixels = (long) width.orElse(1) * height.orElse(1);
        if (width.orElse(1) < 1 || height.orElse(1) < 1 || pixels > Image.MOST_PIXELS) {
            throw new IllegalArgumentException("a picture has at least 1x1 pixels and at most "
                + Image.MOST_PIXELS / 1_000_000 + " million, not " + width.orElse(1) + "x" + height.orElse(1));
        }
        if (previewEvery < 0) {
            throw new IllegalArgumentException("previews come every so many steps, not " + previewEvery);
        }
    }

    /** All that is not said is the model's own, or a default. */
    static RequestCore of(String prompt) {
        return new RequestCore(prompt, "", OptionalInt.empty(), OptionalDouble.empty(), 0, OptionalLong.empty(),
            Optional.empty(), OptionalInt.empty(), OptionalInt.empty(), 0, Conditioning.DEFAULT,
            CacheUse.OFF);
    }

    private static Guidance guidance(double weight, double rescale) {
        return new Guidance(weight, rescale);
    }

    /** How the prompt is set against the negative one, where its weight is said. */
    Guidance guidance() {
        return guidance(weight.orElseThrow(), rescale);
    }

    /** What is usual in place of what is not said. */
    RequestCore withUsual(Usual usual) {
        RequestCore counted = steps.isPresent() ? this : withSteps(usual.steps());
        return weight.isPresent() ? counted : counted.withGuidance(OptionalDouble.of(usual.guidance()), rescale);
    }

    RequestCore withNegative(String text) {
        return new RequestCore(prompt, text, steps, weight, rescale, seed, scheduler, width, height, previewEvery,
            conditioning, cache);
    }

    RequestCore withSteps(int count) {
        return new RequestCore(prompt, negative, OptionalInt.of(count), weight, rescale, seed, scheduler, width, height,
            previewEvery, conditioning, cache);
    }

    RequestCore withGuidance(OptionalDouble counts, double tempered) {
        return new RequestCore(prompt, negative, steps, counts, tempered, seed, scheduler, width, height, previewEvery,
            conditioning, cache);
    }

    RequestCore withSeed(long number) {
        return new RequestCore(prompt, negative, steps, weight, rescale, OptionalLong.of(number), scheduler, width,
            height, previewEvery, conditioning, cache);
    }

    RequestCore withScheduler(String name) {
        return new RequestCore(prompt, negative, steps, weight, rescale, seed, Optional.of(name), width, height,
            previewEvery, conditioning, cache);
    }

    RequestCore withSize(int wide, int high) {
        return new RequestCore(prompt, negative, steps, weight, rescale, seed, scheduler, OptionalInt.of(wide),
            OptionalInt.of(high), previewEvery, conditioning, cache);
    }

    RequestCore withPreviewEvery(int count) {
        return new RequestCore(prompt, negative, steps, weight, rescale, seed, scheduler, width, height, count,
            conditioning, cache);
    }

    RequestCore withConditioning(Conditioning told) {
        return new RequestCore(prompt, negative, steps, weight, rescale, seed, scheduler, width, height,
            previewEvery, told, cache);
    }

    RequestCore withCache(CacheUse use) {
        return new RequestCore(prompt, negative, steps, weight, rescale, seed, scheduler, width, height, previewEvery,
            conditioning, use);
    }

    /**
     * What a pipeline is asked to draw.
     *
     * @param batch how many are drawn together
     * @param given a picture to begin with
     * @param film what is said of a video, if one is wanted
     */
    record Drawing(RequestCore core, int batch, Optional<GivenImage> given, Optional<Film> film) {
        /** With what is usual in place of what is not said. */
        Drawing withUsual(Usual usual) {
            return new Drawing(core.withUsual(usual), batch, given, film);
        }

        Drawing withSize(int wide, int high) {
            return new Drawing(core.withSize(wide, high), batch, given, film);
        }

        /** What a recipe must know of one that is complete. @param begins whether the model takes the first steps */
        RecipeRequest forRecipe(boolean begins) {
            return new RecipeRequest(core.width, core.height, core.guidance().weight(),
                core.conditioning.wording(core.prompt, core.negative), core.conditioning.saysSizes(),
                given.map(GivenImage::forRecipe), begins, film);
        }
    }
}
