package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.ImageEncoder;
import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart.Reading;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.mmdit.Sd3Transformer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What the modules that are joined with a model's denoiser are told for a request, and at which steps they do not run:
 * ControlNets their pictures, and how much of each residual is added to predictions without and with the prompt; what
 * predicts without some layers how much these shall count for more.
 *
 * @param nets the model's
 * @param images one for each
 * @param layers that are skipped
 * @param guidance how much the prompt counts
 * @param width of what is drawn, in pixels; likewise {@code height}
 * @param latents their shape
 */
record Steering(List<ControlNetPart> nets, List<ControlImage> images, Optional<LayerGuidance> layers, double guidance,
    int width, int height, Shape latents) {
    /** As diffusers has them: 10 to the power of -1 for the first residual up to 10 to the power of 0 for the last. */
    private static final double LEAST_GUESS = -1;

    /**
     * @throws RequestException if the request brings more or fewer pictures than there are ControlNets, or layers are
     *     skipped and nothing is guided
     */
    Steering {
        if (layers.isPresent() && guidance <= 1) {
            throw new RequestException("layers are skipped where there is guidance; take more than 1, or leave out "
                + "which layers are skipped");
        }
        if (images.size() != nets.size()) {
            String names = nets.stream().map(ControlNetPart::name).collect(Collectors.joining(", "));
            throw new RequestException(nets.isEmpty() ? "the request brings control pictures, but there is no "
                + "ControlNet that would see them; add one to the pipeline, or leave them out"
                : "the pipeline has " + nets.size() + (nets.size() == 1 ? " ControlNet" : " ControlNets") + " (" + names
                    + ") and the request brings " + (images.isEmpty() ? "no" : images.size()) + " control picture"
                    + (images.size() == 1 ? "" : "s") + "; give one for each ControlNet, in their order");
        }
    }

    /** The types of the denoiser's inputs for them. @param rows of the batch, also those without the prompt */
    Map<String, TensorType> types(long rows) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        nets.forEach(net -> {
            types.put(net.picture(), net.reading() == Reading.PIXELS
                ? TensorType.of(DataType.FLOAT32, rows, Planes.COLOURS, height, width)
                : TensorType.of(DataType.FLOAT32, rows, latents.dim(1), latents.dim(2), latents.dim(3)));
            types.put(net.scales(), TensorType.of(DataType.FLOAT32, rows, net.residuals()));
        });
        layers.ifPresent(it -> types.put(Sd3Transformer.SKIPPING_SCALE, TensorType.of(DataType.FLOAT32, rows)));
        return types;
    }

    /** Whether pictures become latents. */
    boolean readsLatents() {
        return nets.stream().anyMatch(net -> net.reading() != Reading.PIXELS);
    }

    /**
     * What these are given, by their names: a row for predictions without the prompt, and one for those with it.
     *
     * @param encoder is there if pictures become latents
     */
    Map<String, float[]> bothRows(Optional<ImageEncoder> encoder) {
        Map<String, float[]> rows = new LinkedHashMap<>();
        for (int i = 0; i < nets.size(); i++) {
            float[] picture = seen(images.get(i).image().scaledTo(width, height), nets.get(i).reading(), encoder);
            rows.put(nets.get(i).picture(), both(picture, picture));
            rows.put(nets.get(i).scales(), scales(nets.get(i), images.get(i)));
        }
        // What is added to the prediction with the prompt is multiplied by the guidance.
        layers.ifPresent(it -> rows.put(Sd3Transformer.SKIPPING_SCALE,
            new float[] {0, (float) (it.scale() / guidance)}));
        return rows;
    }

    /** diffusers samples latents without a seed; the likeliest are what it samples around. */
    private static float[] seen(Image picture, Reading reading, Optional<ImageEncoder> encoder) {
        return switch (reading) {
            case PIXELS -> Planes.ofShares(picture).values();
            case LATENTS -> encoder.orElseThrow().likeliest(Planes.of(picture), true);
            case UNSHIFTED_LATENTS -> encoder.orElseThrow().likeliest(Planes.of(picture), false);
        };
    }

    private static float[] scales(ControlNetPart net, ControlImage image) {
        float[] with = new float[net.residuals()];
        for (int i = 0; i < with.length; i++) {
            // What is the same for the whole picture has no layers of which the deep ones could count more.
            double guess = image.guesses() && !net.global() && with.length > 1
                ? Math.pow(10, LEAST_GUESS * (1 - (double) i / (with.length - 1))) : 1;
            with[i] = (float) (guess * image.scale());
        }
        return both(image.guesses() || net.global() ? new float[with.length] : with, with);
    }

    /** The modules that do not run where nothing is guided, either. */
    Set<String> guided() {
        return layers.isPresent() ? Set.of(Sd3Transformer.SKIPPING) : Set.of();
    }

    private static float[] both(float[] without, float[] with) {
        float[] rows = Arrays.copyOf(without, without.length + with.length);
        System.arraycopy(with, 0, rows, without.length, with.length);
        return rows;
    }

    /**
     * The steps at which each of them does not run, by their modules; those that always run are left out.
     *
     * @param steps that this model takes
     * @param all steps of the picture
     */
    Map<String, Set<Integer>> rests(int steps, int all) {
        Map<String, Set<Integer>> rests = new LinkedHashMap<>();
        for (int i = 0; i < nets.size(); i++) {
            ControlImage image = images.get(i);
            Set<Integer> at = IntStream.range(0, steps).filter(step -> (double) step / all < image.from()
                || (step + 1.0) / all > image.to()).boxed().collect(Collectors.toUnmodifiableSet());
            if (!at.isEmpty()) {
                rests.put(nets.get(i).module(), at);
            }
        }
        layers.ifPresent(it -> rests.put(Sd3Transformer.SKIPPING, it.rests(steps)));
        return rests;
    }
}
