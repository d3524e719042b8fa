package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.plan.Plan;
import java.time.Duration;
import java.util.List;

/**
 * A picture and how it came about.
 *
 * @param scheduler name of the noise scheduler that was used
 * @param devices names of the devices, in the plan's order
 * @param copiedBytes bytes that went from one device to another
 * @param text time for the text encoder; likewise {@code loop} for the denoising steps and {@code decode} for the image
 *     decoder. Building engines is in none of them
 */
public record GeneratedImage(Image image, ImageRequest request, String scheduler, Plan plan, List<String> devices,
    long copiedBytes, Duration text, Duration loop, Duration decode) {
}
