package dev.slipstream.samples.verify;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.DenoiserModel;
import dev.slipstream.pipelines.diffusion.LoopShape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the loop of a folder reads: latents, the channels that the family adds behind them, and conditions.
 *
 * @param shape sizes to fix the denoiser to; always guided, as the loop of every case is
 * @param latents standard normal, {@code [batch, channels, height, width]}
 * @param extras in the order in which they follow the latents on the channel axis
 * @param conditions by the name of the graph's input
 */
public record LoopInputs(LoopShape shape, StoredTensor latents, List<StoredTensor> extras,
    Map<String, StoredTensor> conditions) {

    private static final String LATENTS = "latents";
    /** Inpainting models have the first two, upscalers the third. */
    private static final List<String> EXTRAS = List.of("mask", "masked_image_latents", "image");

    /** @throws ModelException naming the file and the tensor that is missing or has the wrong shape */
    public static LoopInputs read(SafetensorsFile inputs, DenoiserModel model) {
        StoredTensor latents = inputs.tensor(LATENTS);
        if (latents.shape().rank() != 4) {
            throw wrong(inputs, LATENTS, latents, "must be [batch, channels, height, width]");
        }
        List<StoredTensor> extras = EXTRAS.stream().filter(inputs.tensors()::containsKey)
            .map(name -> extra(inputs, name, latents)).toList();
        Map<String, StoredTensor> conditions = new LinkedHashMap<>();
        Map<String, TensorType> types = new LinkedHashMap<>();
        long rows = 2 * latents.shape().dim(0);
        for (String name : model.ports().conditions()) {
            if (!inputs.tensors().containsKey(name)) {
                throw new ModelException(inputs.path() + " has no tensor \"" + name + "\", an input of the denoiser; "
                    + "it has " + String.join(", ", inputs.tensors().keySet()));
            }
            StoredTensor condition = inputs.tensor(name);
            if (condition.shape().rank() == 0 || condition.shape().dim(0) != rows) {
                throw wrong(inputs, name, condition, "must have " + rows
                    + " rows, the unconditional ones first");
            }
            conditions.put(name, condition);
            types.put(name, new TensorType(model.elementType(name), condition.shape()));
        }
        long extraChannels = extras.stream().mapToLong(extra -> extra.shape().dim(1)).sum();
        return new LoopInputs(new LoopShape(new TensorType(DataType.FLOAT32, latents.shape()), extraChannels, true,
            types), latents, extras, conditions);
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
    Map<String, MemorySegment> given(double initialScale, Arena arena) {
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
