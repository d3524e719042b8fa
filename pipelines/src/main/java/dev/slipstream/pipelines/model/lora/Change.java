package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;

/**
 * What one LoRA does to one weight.
 *
 * @param factor the LoRA's weight and the layer's scale
 */
record Change(Lora lora, LoraLayer layer, double factor) {
    /** @throws ModelException if it is for a weight of another shape */
    void checkFits(String name, Shape shape) {
        if (!layer.fits(shape)) {
            throw new ModelException(lora.path() + " is for another model: " + layer.down() + " " + layer.downShape()
                + " and " + layer.up() + " " + layer.upShape() + " do not fit " + name + " " + shape);
        }
    }

    /** The factors in memory. */
    Factors factors(SafetensorsFile file) {
        float[] up = file.tensor(layer.up()).toFloats();
        for (int i = 0; i < up.length; i++) {
            up[i] = (float) (up[i] * factor);
        }
        return new Factors(up, file.tensor(layer.down()).toFloats(), layer.rank());
    }

    /**
     * @param up [outputs, rank], scaled
     * @param down [rank, inputs]
     */
    record Factors(float[] up, float[] down, int rank) {
        /** Adds a row of the product. */
        void addRow(int row, float[] sum) {
            for (int r = 0; r < rank; r++) {
                float weight = up[row * rank + r];
                int start = r * sum.length;
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += weight * down[start + i];
                }
            }
        }
    }
}
