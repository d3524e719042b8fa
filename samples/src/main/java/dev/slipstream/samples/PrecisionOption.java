package dev.slipstream.samples;

import dev.slipstream.pipelines.graph.precision.Precision;
import picocli.CommandLine.Option;

/** In which precision the denoiser computes. */
public final class PrecisionOption {
    @Option(names = "--precision", paramLabel = "TYPE", order = 4, defaultValue = "fp32",
        description = "In which the denoiser computes: fp32, fp16, or bf16 (CUDA devices only). Norms, softmax, time "
            + "and latents stay fp32, and so do text encoder and image decoder (${DEFAULT-VALUE}).")
    private String precision;

    /** @throws IllegalArgumentException if there is no such precision */
    public Precision precision() {
        return Precision.parse(precision);
    }
}
