package dev.slipstream.pipelines.run.loop;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.List;
import java.util.Map;

/**
 * The loop to unroll, apart from the plan.
 *
 * @param guidance ignored where the plan has only one branch
 * @param latents {@code [batch, channels, height, width]} float32
 * @param types the type of every tensor that a stage of the branch reads or writes
 * @param kept after which steps the latents stay readable until the next run
 * @param estimates after which steps the clean image that the step expects is readable too
 * @param rests components that do not run at some steps
 * @param bands of rows that the plan predicts apart in its window, downwards; none where latents stay whole
 */
public record LoopSpec(DenoiserPorts ports, NoiseTable noise, Guidance guidance, TensorType latents,
    Map<Branch, Map<String, TensorType>> types, KeptLatents kept, Estimates estimates, Rests rests,
    List<Band> bands) {
    /**
     * Rows of the latents that stages of their own predict.
     *
     * @param sample what these read in place of the latents, {@code [rows, channels, height, width]}
     * @param prediction what they make of the prediction
     */
    public record Band(String sample, String prediction) {
    }

    public LoopSpec {
        types = Map.copyOf(types);
        bands = List.copyOf(bands);
        if (latents.type() != DataType.FLOAT32 || latents.shape().rank() != 4) {
            throw new IllegalArgumentException("latents are float32 [batch, channels, height, width], not " + latents);
        }
    }

    /** A loop in which nothing rests. */
    public LoopSpec(DenoiserPorts ports, NoiseTable noise, Guidance guidance, TensorType latents,
        Map<Branch, Map<String, TensorType>> types, KeptLatents kept, Estimates estimates) {
        this(ports, noise, guidance, latents, types, kept, estimates, Rests.NONE);
    }

    /** A loop in which latents stay whole. */
    public LoopSpec(DenoiserPorts ports, NoiseTable noise, Guidance guidance, TensorType latents,
        Map<Branch, Map<String, TensorType>> types, KeptLatents kept, Estimates estimates, Rests rests) {
        this(ports, noise, guidance, latents, types, kept, estimates, rests, List.of());
    }

    /** Whether the latents after the step stay readable. */
    public boolean isKept(int step) {
        return kept.isAfter(step, noise.steps());
    }

    public boolean isEstimated(int step) {
        return estimates.isAfter(step, noise.steps());
    }

    public TensorType type(String tensor, Branch branch) {
        TensorType type = types.getOrDefault(branch, Map.of()).get(tensor);
        if (type == null) {
            throw new IllegalArgumentException("the type of tensor '" + tensor + "' is not known for " + branch);
        }
        return type;
    }

    /** Bytes of channels that the denoiser takes beside the latents (a mask, an image), a row. */
    public long extraBytes(Branch branch) {
        TensorType sample = type(ports.sample(), branch);
        return sample.bytes() / sample.shape().dim(0) - latents.bytes() / latents.shape().dim(0);
    }
}
