package dev.slipstream.samples.options;

import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.samples.terminal.HelpLayout;
import java.util.Iterator;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The precision in which the denoiser computes. */
public final class PrecisionOption {
    @Option(names = "--precision", paramLabel = "TYPE", order = HelpLayout.DEVICES + 2, defaultValue = "fp32",
        completionCandidates = Types.class,
        description = "In which the denoiser computes: fp32, fp16, or bf16 (CUDA devices only). Norms, softmax, time "
            + "and latents stay fp32, and so do text encoder and image decoder (${DEFAULT-VALUE}).")
    private String precision;

    private static final class Types implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.of(Precision.values()).map(Precision::toString).iterator();
        }
    }

    /** @throws IllegalArgumentException if there is no such precision */
    public Precision precision() {
        return Precision.parse(precision);
    }
}
