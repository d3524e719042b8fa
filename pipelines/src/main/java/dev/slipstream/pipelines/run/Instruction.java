package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Limit;
import dev.slipstream.bridge.TensorType;
import java.util.List;
import java.util.Map;

/** One thing that a stream does. {@code step} is the denoising step that it serves, for timelines and progress. */
public sealed interface Instruction {
    int stream();

    int step();

    /** The same at another step: equal instructions of different steps do the same. */
    Instruction atStep(int other);

    /** Whether it works on tensors; the others only order the streams. */
    default boolean isWork() {
        return true;
    }

    /** Runs the engine of a stage on these tensors. */
    record Run(int stream, int step, int stage, Map<String, Region> tensors) implements Instruction {
        public Run {
            tensors = Map.copyOf(tensors);
        }

        @Override
        public Run atStep(int other) {
            return new Run(stream, other, stage, tensors);
        }
    }

    /** Copies bytes, maybe to another device. */
    record Copy(int stream, int step, Region from, Region to) implements Instruction {
        @Override
        public Copy atStep(int other) {
            return new Copy(stream, other, from, to);
        }
    }

    /** Computes {@code to = Σ weightᵢ·fromᵢ} in float32. */
    record Combine(int stream, int step, Region to, List<Region> from, List<Float> weights) implements Instruction {
        public Combine {
            from = List.copyOf(from);
            weights = List.copyOf(weights);
        }

        @Override
        public Combine atStep(int other) {
            return new Combine(stream, other, to, from, weights);
        }
    }

    /**
     * Gives each picture's guided prediction the spread of the text's.
     *
     * @param space what it needs in between
     */
    record Rescale(int stream, int step, Region to, Region guided, Region text, Region space, int pictures,
        float strength) implements Instruction {
        @Override
        public Rescale atStep(int other) {
            return new Rescale(stream, other, to, guided, text, space, pictures, strength);
        }
    }

    /** Bounds the values of each picture. */
    record Limiting(int stream, int step, Region to, Region from, int pictures, Limit limit)
        implements Instruction {
        @Override
        public Limiting atStep(int other) {
            return new Limiting(stream, other, to, from, pictures, limit);
        }
    }

    /**
     * Looks for NaN and infinite values in what a stage made.
     *
     * @param mark an int32 of the device, which keeps the lowest label that found some
     * @param label index of this instruction in the program
     */
    record Guard(int stream, int step, int stage, String tensor, TensorType type, Region region, Region mark, int label)
        implements Instruction {
        @Override
        public Guard atStep(int other) {
            return new Guard(stream, other, stage, tensor, type, region, mark, label);
        }
    }

    /** Marks a point that other streams, or the host, wait for. */
    record Record(int stream, int step, int event) implements Instruction {
        @Override
        public Record atStep(int other) {
            return new Record(stream, other, event);
        }

        @Override
        public boolean isWork() {
            return false;
        }
    }

    /** Holds the stream until another stream has passed a point. */
    record Wait(int stream, int step, int event) implements Instruction {
        @Override
        public Wait atStep(int other) {
            return new Wait(stream, other, event);
        }

        @Override
        public boolean isWork() {
            return false;
        }
    }
}
