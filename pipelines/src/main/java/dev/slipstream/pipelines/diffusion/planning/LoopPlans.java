package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.Partitioner;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Which plan each loop of a denoiser has: the one that was asked for, or the best. Any thread may use it. */
public sealed interface LoopPlans permits LoopPlans.Given, BestPlans {
    /**
     * A loop that wants a plan.
     *
     * @param rests by modules that are joined with the denoiser the steps at which they do not run
     * @param componentBytes of the model's other parts, on the first device
     */
    record Asked(LoopShape shape, NoiseTable noise, Guidance guidance, Map<String, Set<Integer>> rests,
        long componentBytes) {
        public Asked {
            rests = Map.copyOf(rests);
        }
    }

    /**
     * A plan that a loop has.
     *
     * @param reason in one line, where it was chosen
     */
    record Chosen(Partitioner partitioner, Optional<String> reason) {
    }

    /**
     * The plan of a loop. The same loop has the same; where plans are looked at, the first call takes long.
     *
     * @throws RuntimeException as {@link Partitioner#partition}
     */
    Chosen of(Asked asked);

    /** As {@link Partitioner#check}, before it is known which plan it will be. */
    void check(LoopShape shape);

    /** The plan that was asked for, whatever the loop. */
    record Given(Partitioner partitioner) implements LoopPlans {
        @Override
        public Chosen of(Asked asked) {
            return new Chosen(partitioner, Optional.empty());
        }

        @Override
        public void check(LoopShape shape) {
            partitioner.check(shape);
        }
    }
}
