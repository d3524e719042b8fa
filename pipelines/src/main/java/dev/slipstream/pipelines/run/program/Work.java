package dev.slipstream.pipelines.run.program;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.TensorType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What a stream does to tensors. The operands are values while a loop is unrolled, {@link Region}s of buffers in a
 * program, and bytes on devices when it is executed: {@link #map} changes the operands and nothing else.
 *
 * <p>A new kind of work is a record here, a case where an execution prepares it, and the code that asks for it.
 *
 * @param <O> the type of the operands
 */
public sealed interface Work<O> {
    /** The operands that it reads, in the order in which it waits for them. */
    List<O> reads();

    /** The operands that it writes. */
    List<O> writes();

    /** The same work on other operands. */
    <P> Work<P> map(Function<O, P> operand);

    /**
     * In words, for messages.
     *
     * @param stages names of the segments that stages run
     */
    String describe(List<String> stages);

    /** Runs the engine of a stage on tensors, by name. */
    record Run<O>(int stage, Map<String, O> inputs, Map<String, O> outputs) implements Work<O> {
        public Run {
            inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
            outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
        }

        /** Inputs and outputs together. */
        public Map<String, O> tensors() {
            Map<String, O> all = new LinkedHashMap<>(inputs);
            all.putAll(outputs);
            return all;
        }

        @Override
        public List<O> reads() {
            return List.copyOf(inputs.values());
        }

        @Override
        public List<O> writes() {
            return List.copyOf(outputs.values());
        }

        @Override
        public <P> Run<P> map(Function<O, P> operand) {
            return new Run<>(stage, map(inputs, operand), map(outputs, operand));
        }

        private static <O, P> Map<String, P> map(Map<String, O> tensors, Function<O, P> operand) {
            Map<String, P> mapped = new LinkedHashMap<>();
            tensors.forEach((name, tensor) -> mapped.put(name, operand.apply(tensor)));
            return mapped;
        }

        @Override
        public String describe(List<String> stages) {
            return stages.get(stage);
        }
    }

    /** Copies bytes, maybe to another device. */
    record Copy<O>(O from, O to) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(from);
        }

        @Override
        public List<O> writes() {
            return List.of(to);
        }

        @Override
        public <P> Copy<P> map(Function<O, P> operand) {
            return new Copy<>(operand.apply(from), operand.apply(to));
        }

        @Override
        public String describe(List<String> stages) {
            return "a copy";
        }
    }

    /** Computes {@code to = Σ weightᵢ·fromᵢ} in float32. */
    record Combine<O>(O to, List<O> from, List<Float> weights) implements Work<O> {
        public Combine {
            from = List.copyOf(from);
            weights = List.copyOf(weights);
        }

        @Override
        public List<O> reads() {
            return from;
        }

        @Override
        public List<O> writes() {
            return List.of(to);
        }

        @Override
        public <P> Combine<P> map(Function<O, P> operand) {
            return new Combine<>(operand.apply(to), from.stream().map(operand).toList(), weights);
        }

        @Override
        public String describe(List<String> stages) {
            return "a combination";
        }
    }

    /**
     * Gives each picture's guided prediction the spread of the text's.
     *
     * @param space what it needs in between, which this work alone writes and reads
     */
    record Rescale<O>(O to, O guided, O text, O space, int pictures, float strength) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(guided, text);
        }

        @Override
        public List<O> writes() {
            return List.of(to, space);
        }

        @Override
        public <P> Rescale<P> map(Function<O, P> operand) {
            return new Rescale<>(operand.apply(to), operand.apply(guided), operand.apply(text), operand.apply(space),
                pictures, strength);
        }

        @Override
        public String describe(List<String> stages) {
            return "rescaling guidance";
        }
    }

    /** Bounds the values of each picture. */
    record Limiting<O>(O to, O from, int pictures, Limit limit) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(from);
        }

        @Override
        public List<O> writes() {
            return List.of(to);
        }

        @Override
        public <P> Limiting<P> map(Function<O, P> operand) {
            return new Limiting<>(operand.apply(to), operand.apply(from), pictures, limit);
        }

        @Override
        public String describe(List<String> stages) {
            return "limiting the clean latents";
        }
    }

    /**
     * Computes how far a tensor has moved: {@code to = Σ|now − then| / Σ|then|}, one float32.
     *
     * @param space what it needs in between, which this work alone writes and reads
     */
    record Compare<O>(O to, O now, O then, O space) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(now, then);
        }

        @Override
        public List<O> writes() {
            return List.of(to, space);
        }

        @Override
        public <P> Compare<P> map(Function<O, P> operand) {
            return new Compare<>(operand.apply(to), operand.apply(now), operand.apply(then), operand.apply(space));
        }

        @Override
        public String describe(List<String> stages) {
            return "a comparison";
        }
    }

    /**
     * Tells the host a float32, which lies in its memory when the stream has passed this.
     *
     * @param scalar its number; each report of a program has one of its own
     */
    record Report<O>(O from, int scalar) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(from);
        }

        @Override
        public List<O> writes() {
            return List.of();
        }

        @Override
        public <P> Report<P> map(Function<O, P> operand) {
            return new Report<>(operand.apply(from), scalar);
        }

        @Override
        public String describe(List<String> stages) {
            return "a report";
        }
    }

    /**
     * Looks for NaN and infinite values in what a stage made.
     *
     * @param mark an int32 of the device, which keeps the lowest label that found some. It only changes on this stream,
     *     so it counts as read
     * @param label how many checks come before this one in the program
     */
    record FiniteCheck<O>(int stage, String tensor, TensorType type, O value, O mark, int label) implements Work<O> {
        @Override
        public List<O> reads() {
            return List.of(value, mark);
        }

        @Override
        public List<O> writes() {
            return List.of();
        }

        @Override
        public <P> FiniteCheck<P> map(Function<O, P> operand) {
            return new FiniteCheck<>(stage, tensor, type, operand.apply(value), operand.apply(mark), label);
        }

        @Override
        public String describe(List<String> stages) {
            return "a check of " + stages.get(stage);
        }
    }
}
