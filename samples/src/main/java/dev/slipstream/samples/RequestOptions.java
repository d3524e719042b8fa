package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import java.util.Iterator;
import picocli.CommandLine.Option;

/** What shapes the loop, whatever the picture shows: steps, guidance, noise scheduler, size. */
public final class RequestOptions {
    @Option(names = "--steps", paramLabel = "N", order = 10, defaultValue = "" + ImageRequest.DEFAULT_STEPS,
        description = "Denoising steps (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--guidance", paramLabel = "W", order = 11, defaultValue = "" + ImageRequest.DEFAULT_GUIDANCE,
        description = "Weight of the prompt (${DEFAULT-VALUE}); 1 or less switches guidance off, which halves the "
            + "work.")
    private double guidance;

    @Option(names = "--scheduler", paramLabel = "NAME", order = 12, completionCandidates = Methods.class,
        description = "Noise scheduler, if not the model's own: ${COMPLETION-CANDIDATES}.")
    private String scheduler;

    @Option(names = "--size", paramLabel = "WxH", order = 13,
        description = "Pixels, like 64x32, if not the model's own size.")
    private String size;

    private static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return NoiseScheduler.methods().iterator();
        }
    }

    /** The request for a prompt. */
    public ImageRequest request(String prompt) {
        ImageRequest request = ImageRequest.of(prompt).withSteps(steps).withGuidance(guidance);
        if (scheduler != null) {
            request = request.withScheduler(scheduler);
        }
        return size == null ? request : sized(request);
    }

    private ImageRequest sized(ImageRequest request) {
        if (!size.strip().matches("\\d{1,6}[xX]\\d{1,6}")) {
            throw new InputException("--size takes WIDTHxHEIGHT in pixels, like 64x32, not '" + size + "'; leave it "
                + "out for the model's own size");
        }
        String[] sides = size.strip().split("[xX]");
        return request.withSize(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }
}
