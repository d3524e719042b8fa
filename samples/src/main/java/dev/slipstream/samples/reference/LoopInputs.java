package dev.slipstream.samples.reference;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.family.LoopForm;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.run.program.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the loop of a folder reads: latents, the channels that the family adds behind them, conditions, and noise where
 * steps take some.
 *
 * @param shape sizes to fix the denoiser to
 * @param latents standard normal, {@code [batch, channels, height, width]}
 * @param extras in the order in which they follow the latents on the channel axis
 * @param conditions by the name of the graph's input, rows without the prompt first
 * @param noise standard normal, {@code [steps, batch, channels, height, width]}
 */
public record LoopInputs(LoopShape shape, StoredTensor latents, List<StoredTensor> extras,
    Map<String, StoredTensor> conditions, Optional<StoredTensor> noise) {

    static final String LATENTS = "latents";
    static final String NOISE = "step_noise";
    /** Conditions that are the same with the prompt and without, so that files may have them once. */
    private static final List<String> PICTURES = List.of("controlnet_cond");
    /** Inpainting models have the first two, upscalers the third. */
    private static final List<String> EXTRAS = List.of("mask", "masked_image_latents", "image");

    /**
     * @param model adapted to the loop
     * @param form of the family: the order of rows, and the layout of latents
     * @param guided whether each latent is predicted twice; if not, conditions may still have rows for it
     * @param numbers conditions that are one number for all rows, by the name of the graph's input
     * @throws ModelException naming the file and the tensor that is missing or has the wrong shape
     */
    static LoopInputs read(SafetensorsFile inputs, DenoiserGraph model, LoopForm form, boolean guided,
        Map<String, Double> numbers) {
        StoredTensor given = inputs.tensor(LATENTS);
        StoredTensor latents = PackedLatents.of(inputs, form).map(packed -> packed.unpacked(given))
            .orElseGet(() -> new StoredTensor(given.type(), form.folded(given.shape()), given.data()));
        if (latents.shape().rank() != 4) {
            throw wrong(inputs, LATENTS, latents, form.frames().areThere()
                ? "must have five dimensions, one of them for frames" : "must be [batch, channels, height, width]");
        }
        List<StoredTensor> extras = EXTRAS.stream().filter(inputs.tensors()::containsKey)
            .map(name -> extra(inputs, name, latents)).toList();
        ConditionReader reader = new ConditionReader(inputs, model, latents.shape().dim(0), guided);
        Map<String, StoredTensor> conditions = new LinkedHashMap<>();
        Map<String, TensorType> types = new LinkedHashMap<>();
        for (String name : model.ports().conditions()) {
            StoredTensor condition = numbers.containsKey(name) && !inputs.tensors().containsKey(name)
                ? reader.number(name, numbers.get(name)) : reader.read(name, form);
            conditions.put(name, condition);
            types.put(name, new TensorType(model.elementType(name), condition.shape()));
        }
        long extraChannels = extras.stream().mapToLong(extra -> extra.shape().dim(1)).sum();
        Optional<StoredTensor> noise = Optional.of(NOISE).filter(inputs.tensors()::containsKey).map(inputs::tensor);
        return new LoopInputs(new LoopShape(new TensorType(DataType.FLOAT32, latents.shape()), extraChannels,
            reader.isTwice(), types), latents, extras, conditions, noise);
    }

    /** Reads conditions, each with a row for each row of the batch. */
    private static final class ConditionReader {
        private final SafetensorsFile inputs;
        private final DenoiserGraph model;
        private final long batch;
        private final boolean twice;

        ConditionReader(SafetensorsFile inputs, DenoiserGraph model, long batch, boolean guided) {
            this.inputs = inputs;
            this.model = model;
            this.batch = batch;
            this.twice = guided || model.ports().conditions().stream().filter(inputs.tensors()::containsKey)
                .filter(name -> !isWithoutRows(name)).map(inputs::tensor)
                .anyMatch(tensor -> tensor.shape().rank() > 0 && tensor.shape().dim(0) == 2 * batch);
        }

        boolean isTwice() {
            return twice;
        }

        private long rows() {
            return twice ? 2 * batch : batch;
        }

        /** Whether the file has it once for all rows, where the denoiser takes rows. */
        private boolean isWithoutRows(String name) {
            return model.rank(name).orElse(0) == inputs.tensor(name).shape().rank() + 1;
        }

        StoredTensor number(String name, double value) {
            float[] all = new float[Math.toIntExact(rows())];
            Arrays.fill(all, (float) value);
            long[] dims = new long[Math.max(1, model.rank(name).orElse(1))];
            Arrays.fill(dims, 1);
            dims[0] = rows();
            return StoredTensor.of(Shape.of(dims), all);
        }

        StoredTensor read(String name, LoopForm form) {
            boolean promptFirst = form.promptFirst();
            if (!inputs.tensors().containsKey(name)) {
                throw new ModelException(inputs.path() + " has no tensor \"" + name + "\", an input of the denoiser; "
                    + "it has " + String.join(", ", inputs.tensors().keySet()));
            }
            StoredTensor condition = inputs.tensor(name);
            if (isWithoutRows(name)) {
                return repeated(condition);
            }
            boolean once = twice && condition.shape().rank() > 0 && condition.shape().dim(0) == batch;
            if (once && (PICTURES.contains(name) || name.equals(form.frames().picture()))) {
                return both(condition, PICTURES.contains(name));
            }
            if (condition.shape().rank() == 0 || condition.shape().dim(0) != rows()) {
                throw wrong(inputs, name, condition, "must have " + rows() + " rows"
                    + (!twice ? "" : promptFirst ? ", those with the prompt first" : ", the unconditional ones first"));
            }
            return twice && promptFirst ? swapped(condition) : condition;
        }

        private StoredTensor repeated(StoredTensor tensor) {
            long[] dims = new long[tensor.shape().rank() + 1];
            dims[0] = rows();
            System.arraycopy(tensor.shape().toArray(), 0, dims, 1, dims.length - 1);
            long bytes = tensor.data().byteSize();
            MemorySegment all = MemorySegment.ofArray(new byte[Math.toIntExact(rows() * bytes)]);
            for (long row = 0; row < rows(); row++) {
                MemorySegment.copy(tensor.data(), 0, all, row * bytes, bytes);
            }
            return new StoredTensor(tensor.type(), Shape.of(dims), all);
        }

        /** Rows with the prompt, and before them those without. @param same whether these see the same, or zeros */
        private static StoredTensor both(StoredTensor tensor, boolean same) {
            long bytes = tensor.data().byteSize();
            MemorySegment all = MemorySegment.ofArray(new byte[Math.toIntExact(2 * bytes)]);
            if (same) {
                MemorySegment.copy(tensor.data(), 0, all, 0, bytes);
            }
            MemorySegment.copy(tensor.data(), 0, all, bytes, bytes);
            long[] dims = tensor.shape().toArray();
            dims[0] *= 2;
            return new StoredTensor(tensor.type(), Shape.of(dims), all);
        }

        /** With the halves of its rows exchanged. */
        private static StoredTensor swapped(StoredTensor tensor) {
            long half = tensor.data().byteSize() / 2;
            MemorySegment all = MemorySegment.ofArray(new byte[Math.toIntExact(2 * half)]);
            MemorySegment.copy(tensor.data(), half, all, 0, half);
            MemorySegment.copy(tensor.data(), 0, all, half, half);
            return new StoredTensor(tensor.type(), tensor.shape(), all);
        }
    }

    private static StoredTensor extra(SafetensorsFile inputs, String name, StoredTensor latents) {
        StoredTensor extra = inputs.tensor(name);
        boolean fits = extra.shape().rank() == 4 && extra.shape().dim(0) == latents.shape().dim(0)
            && extra.shape().dim(2) == latents.shape().dim(2) && extra.shape().dim(3) == latents.shape().dim(3);
        if (!fits) {
            throw wrong(inputs, name, extra, "must have the batch, height and width of the latents "
                + latents.shape());
        }
        return extra;
    }

    private static ModelException wrong(SafetensorsFile inputs, String name, StoredTensor tensor, String complaint) {
        return new ModelException(inputs.path() + ": \"" + name + "\" is " + tensor.shape() + ", but " + complaint);
    }

    /** The tensors that a program asks for. @param initialScale what the noise scheduler multiplies latents with */
    public Map<String, MemorySegment> given(double initialScale, Arena arena) {
        Map<String, MemorySegment> given = new LinkedHashMap<>();
        MemorySegment scaled = TensorConversion.convert(latents, DataType.FLOAT32, arena);
        for (long i = 0; i < latents.shape().elements(); i++) {
            scaled.setAtIndex(ValueLayout.JAVA_FLOAT, i,
                (float) (scaled.getAtIndex(ValueLayout.JAVA_FLOAT, i) * initialScale));
        }
        given.put(Program.LATENTS, scaled);
        if (!extras.isEmpty()) {
            given.put(Program.EXTRA_CHANNELS, joined(arena));
        }
        conditions.forEach((name, tensor) ->
            given.put(name, TensorConversion.convert(tensor, shape.conditions().get(name).type(), arena)));
        noise.ifPresent(tensor ->
            given.put(Program.NOISE, TensorConversion.convert(tensor, DataType.FLOAT32, arena)));
        return given;
    }

    /** The extra channels of each row of the batch, one after another. */
    private MemorySegment joined(Arena arena) {
        long batch = latents.shape().dim(0);
        long total = extras.stream().mapToLong(extra -> extra.shape().elements()).sum();
        MemorySegment joined = arena.allocate(total * Float.BYTES, 64);
        long end = 0;
        for (long row = 0; row < batch; row++) {
            for (StoredTensor extra : extras) {
                long bytes = extra.shape().elements() / batch * Float.BYTES;
                MemorySegment floats = TensorConversion.convert(extra, DataType.FLOAT32, arena);
                MemorySegment.copy(floats, row * bytes, joined, end, bytes);
                end += bytes;
            }
        }
        return joined;
    }
}
