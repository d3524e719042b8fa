package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.GenerationParameters;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.PngFile;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.lora.WeightedLora;
import dev.slipstream.pipelines.plan.Plan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A picture and how it came about.
 *
 * @param request draws this picture alone, the same up to rounding: its own seed, and a batch of 1
 * @param batch pictures that were drawn together with it, itself included; times and {@code copiedBytes} are of all
 * @param model name of the model
 * @param loras that were merged into it
 * @param scheduler name of the noise scheduler that was used
 * @param precision of the denoiser
 * @param devices names of the devices, in the plan's order
 * @param steps how many were taken: fewer than the request says where it starts from a picture
 * @param copiedBytes bytes that went from one device to another
 * @param build time for making engines and loop ready: next to nothing where an earlier request left them
 * @param text time for the text encoder; likewise {@code loop} for the denoising steps and {@code decode} for the image
 *     decoder
 * @param refinement what a refiner had to do with it; its steps, bytes and times are in the others, too
 */
public record GeneratedImage(Image image, ImageRequest request, int batch, String model, List<WeightedLora> loras,
    String scheduler, Precision precision, Plan plan, List<String> devices, int steps, long copiedBytes,
    Duration build, Duration text, Duration loop, Duration decode, Optional<Refinement> refinement) {

    /** What made the picture, as other tools read it from a picture's metadata. */
    public GenerationParameters parameters() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("Steps", Integer.toString(request.steps()));
        settings.put("Sampler", scheduler);
        settings.put("CFG scale", Double.toString(request.guidance().weight()));
        if (request.guidance().isRescaled()) {
            settings.put("CFG rescale", Double.toString(request.guidance().rescale()));
        }
        settings.put("Seed", Long.toString(request.seed()));
        settings.put("Size", image.toString());
        request.given().filter(picture -> steps < request.steps()).ifPresent(picture ->
            settings.put("Denoising strength", Double.toString(picture.usedStrength())));
        putReading(settings);
        settings.put("Model", model);
        if (!loras.isEmpty()) {
            settings.put("Lora", loras.stream().map(WeightedLora::toString).collect(Collectors.joining(", ")));
        }
        refinement.ifPresent(second -> {
            settings.put("Refiner", second.model());
            settings.put("Refiner switch at", Double.toString(second.handover()));
        });
        settings.put("Plan", plan.strategy());
        if (precision != Precision.FP32) {
            settings.put("Precision", precision.toString());
        }
        String version = GeneratedImage.class.getPackage().getImplementationVersion();
        settings.put("Version", version == null ? "slipstream" : "slipstream " + version);
        return new GenerationParameters(request.prompt(), request.negative(), settings);
    }

    /** How the prompts were read, as far as that is not the usual. */
    private void putReading(Map<String, String> settings) {
        int clipSkip = request.conditioning().clipSkip();
        if (clipSkip > 0) {
            // Those tools count the layer that is read from the end, so that 1 is the last.
            settings.put("Clip skip", Integer.toString(clipSkip + 1));
        }
        if (request.conditioning().reading().weighted()) {
            settings.put("Prompt weights", "read");
        }
        if (request.conditioning().reading().whole()) {
            settings.put("Long prompts", "whole");
        }
    }

    /** The texts that {@link PngFile} writes beside the picture. */
    public Map<String, String> metadata() {
        return Map.of(GenerationParameters.KEYWORD, parameters().text());
    }

    /**
     * Writes the picture and what made it as a PNG file, whole or not at all.
     *
     * @throws java.io.UncheckedIOException which says why the file cannot be written
     */
    public void write(Path file) {
        PngFile.write(file, image, metadata());
    }
}
