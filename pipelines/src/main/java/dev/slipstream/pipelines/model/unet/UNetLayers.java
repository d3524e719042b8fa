package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/**
 * What the blocks of a U-Net consist of; each kind of U-Net has its own. Values are [rows, channels, height, width].
 */
interface UNetLayers {
    /**
     * One layer of a block on the way down: a residual block and what follows it.
     *
     * @param scope of the block
     * @param level of the block, 0 for the first on the way down
     * @param index of the layer in the block
     */
    Value down(Scope scope, Value x, int level, int index);

    /** The block in the middle. */
    Value mid(Scope scope, Value x, UNetBlock block);

    /** One layer of a block on the way up. @param level of the block, 0 for the first on the way up */
    Value up(Scope scope, Value x, int level, int index);
}
