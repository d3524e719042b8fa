package dev.slipstream.pipelines.diffusion.noise;

/**
 * A part of the way from noise to picture, where several models share it, as shares of the timesteps that a model was
 * trained with: a step belongs to the span in which its timestep lies. What diffusers calls {@code denoising_start} and
 * {@code denoising_end}; the rounding is the same.
 *
 * @param start from 0, the noisiest timestep
 * @param end to 1, the clean picture
 * @see <a href="https://arxiv.org/abs/2211.01324">Balaji et al. (2022), expert denoisers</a>
 */
public record NoiseSpan(double start, double end) {
    /** All steps. */
    public static final NoiseSpan WHOLE = new NoiseSpan(0, 1);

    public NoiseSpan {
        if (!(start >= 0 && start < end && end <= 1)) {
            throw new IllegalArgumentException("a part of the steps lies between 0 and 1, not from " + start + " to "
                + end);
        }
    }

    /** Whether it begins with nothing but noise. */
    public boolean isFirst() {
        return start == 0;
    }

    /** Whether it ends with the picture. */
    public boolean isLast() {
        return end == 1;
    }

    /** Whether a timestep lies before this span. @param trained how many timesteps there are */
    boolean isAhead(double timestep, int trained) {
        return !isFirst() && timestep >= cutoff(start, trained);
    }

    /** Whether a timestep lies after this span. */
    boolean isPast(double timestep, int trained) {
        return !isLast() && timestep < cutoff(end, trained);
    }

    private static double cutoff(double share, int trained) {
        return Math.rint(trained - share * trained);
    }

    @Override
    public String toString() {
        return "from " + start + " to " + end;
    }
}
