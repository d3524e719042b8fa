package dev.slipstream.samples.reference;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.family.LoopForm;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.util.Optional;

/**
 * Latents as tokens, {@code [..., tokens, channels · side²]}, row by row and each token channel by channel, as FLUX
 * takes them.
 *
 * @param side of the latents that are a token
 * @param across tokens in a row
 */
record PackedLatents(int side, int across) {
    private static final String PLACES = "img_ids";

    /** Empty where latents lie as pictures do. The places of tokens say how many are in a row. */
    static Optional<PackedLatents> of(SafetensorsFile inputs, LoopForm form) {
        boolean packed = form.packing() > 1 && inputs.tensor(LoopInputs.LATENTS).shape().rank() == 3
            && inputs.tensors().containsKey(PLACES);
        if (!packed) {
            return Optional.empty();
        }
        StoredTensor places = inputs.tensor(PLACES);
        int axes = Math.toIntExact(places.shape().dim(places.shape().rank() - 1));
        float[] numbers = places.toFloats();
        int across = 0;
        for (int i = axes - 1; i < numbers.length; i += axes) {
            across = Math.max(across, (int) numbers[i] + 1);
        }
        return Optional.of(new PackedLatents(form.packing(), across));
    }

    /** @param packed [batch, tokens, channels · side²] @return [batch, channels, height, width] */
    StoredTensor unpacked(StoredTensor packed) {
        long tokens = packed.shape().dim(1);
        Shape shape = Shape.of(packed.shape().dim(0), packed.shape().dim(2) / side / side, tokens / across * side,
            (long) across * side);
        return StoredTensor.of(shape, unpacked(packed.toFloats(), shape));
    }

    /** @param shape of the result, of which there may be several behind each other */
    float[] unpacked(float[] packed, Shape shape) {
        int channels = Math.toIntExact(shape.dim(1));
        int height = Math.toIntExact(shape.dim(2));
        int width = Math.toIntExact(shape.dim(3));
        float[] pictures = new float[packed.length];
        for (int i = 0; i < pictures.length; i++) {
            int x = i % width;
            int y = i / width % height;
            int channel = i / width / height % channels;
            int picture = i / width / height / channels;
            int token = (picture * (height / side) + y / side) * across + x / side;
            pictures[i] = packed[((token * channels + channel) * side + y % side) * side + x % side];
        }
        return pictures;
    }
}
