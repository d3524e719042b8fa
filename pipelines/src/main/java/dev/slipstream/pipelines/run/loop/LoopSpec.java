package dev.slipstream.pipelines.run.loop;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.Map;

/**
 * The loop to unroll, apart from the plan.
 *
 * @param guidance ignored where the plan has only one branch
 * @param latents {@code [batch, channels, height, width]} float32
 * @param types the type of every tensor that a stage of the branch reads or writes
 * @param keepLatents whether the latents after each step stay readable until the next run
 * @param estimates after which steps the clean image that the step expects is readable too
 * @param rests components that do not run at some steps
 */
public record LoopSpec(DenoiserPorts ports, NoiseTable noise, Guidance guidance, TensorType latents,
    Map<Branch, Map<String, TensorType>> types, boolean keepLatents, Estimates estimates, Rests rests) {

    public LoopSpec {
        types = Map.copyOf(types);
        if (latents.type() != DataType.FLOAT32 || latents.shape().rank() != 4) {
            throw new IllegalArgumentException("latents are float32 [batch, channels, height, width], not " + latents);
        }
    }

    /** A loop in which nothing rests. */
    public LoopSpec(DenoiserPorts ports, NoiseTable noise, Guidance guidance, TensorType latents,
        Map<Branch, Map<String, TensorType>> types, boolean keepLatents, Estimates estimates) {
        this(ports, noise, guidance, latents, types, keepLatents, estimates, Rests.NONE);
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
