package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How a video is made.
 *
 * @param framesPerSecond at which it is shown
 * @param together how many frames are decoded together, where they know of each other; else 1
 * @param firstGuidance how much the prompt counts for the first frame, where that grows to the last
 */
public record Filming(int frames, int framesPerSecond, int together, OptionalDouble firstGuidance) {
    /** The guidance of all frames. @param last that of the last */
    public Guidance guidance(Guidance last) {
        if (firstGuidance.isEmpty()) {
            return last;
        }
        List<Double> weights = Guidance.growing(firstGuidance.getAsDouble(), last.weight(), frames).parts();
        double most = Collections.max(weights);
        return most > 1 ? new Guidance(most, last.rescale(), weights) : Guidance.NONE;
    }
}
