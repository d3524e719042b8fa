package dev.slipstream.pipelines.run;

import java.util.List;
import java.util.Map;

/** One thing that a stream does. {@code step} is the denoising step that it serves, for timelines and progress. */
public sealed interface Instruction {
    int stream();

    int step();

    /** Runs the engine of a stage on these tensors. */
    record Run(int stream, int step, int stage, Map<String, Region> tensors) implements Instruction {
        public Run {
            tensors = Map.copyOf(tensors);
        }
    }

    /** Copies bytes, maybe to another device. */
    record Copy(int stream, int step, Region from, Region to) implements Instruction {
    }

    /** Computes {@code to = Σ weightᵢ·fromᵢ} in float32. */
    record Combine(int stream, int step, Region to, List<Region> from, List<Float> weights) implements Instruction {
        public Combine {
            from = List.copyOf(from);
            weights = List.copyOf(weights);
        }
    }

    /** Marks a point that other streams, or the host, wait for. */
    record Record(int stream, int step, int event) implements Instruction {
    }

    /** Holds the stream until another stream has passed a point. */
    record Wait(int stream, int step, int event) implements Instruction {
    }
}
