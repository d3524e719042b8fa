package dev.slipstream.pipelines.graph.patch;

import dev.slipstream.pipelines.graph.GraphException;
import java.util.OptionalDouble;

/**
 * How a denoiser is divided into patches, and what these know of each other.
 *
 * @param patches how many, at least 2
 * @param axis along which the latents are divided
 * @param norms which statistics group norms take
 * @param portion how much of the keys and values of the two patches beside it a patch attends to, more than 0 and at
 *     most 1; empty if it attends to all of all patches
 * @param bessel whether norms multiply variances by k/(k-1), where they combine those of patches with k elements a
 *     group, as the published code does and no model
 */
public record Patching(int patches, Axis axis, Norms norms, OptionalDouble portion, boolean bessel) {
    /** Axis of the latents and of every feature map, [rows of the batch, channels, height, width]. */
    public enum Axis {
        ROWS(2), COLUMNS(3);

        private final int index;

        Axis(int index) {
            this.index = index;
        }

        int index() {
            return index;
        }
    }

    /** Mean and mean square of a group of channels, as the norm of a patch takes them. */
    public enum Norms {
        /** The means over all patches that were exchanged before, plus what has changed since in its own. */
        CORRECTED,
        /** The mean of its own and of those that the others gave. */
        EXCHANGED,
        /** Its own. */
        SEPARATE
    }

    public Patching {
        if (patches < 2) {
            throw new GraphException("latents are divided into at least 2 patches, not " + patches);
        }
        if (portion.isPresent() && !(portion.getAsDouble() > 0 && portion.getAsDouble() <= 1)) {
            throw new GraphException("a patch attends to a portion of more than 0 and at most 1 of the patches beside "
                + "it, not " + portion.getAsDouble());
        }
        if (portion.isPresent() && axis == Axis.COLUMNS) {
            throw new GraphException("only patches of rows attend to a portion of the patches beside them");
        }
    }
}
