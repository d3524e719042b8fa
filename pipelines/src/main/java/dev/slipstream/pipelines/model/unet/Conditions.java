package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Value;
import java.util.Optional;

/**
 * What all blocks of a U-Net read besides the picture.
 *
 * @param time the embedded timestep, activated, [rows or 1, width]
 * @param text {@code encoder_hidden_states} [rows, tokens, width]; empty if no block attends
 */
record Conditions(Value time, Optional<Value> text) {
}
