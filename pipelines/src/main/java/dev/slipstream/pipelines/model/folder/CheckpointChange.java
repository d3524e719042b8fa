package dev.slipstream.pipelines.model.folder;

import dev.slipstream.pipelines.model.weights.Checkpoint;

/** A change of a model's checkpoints, when they are opened. */
@FunctionalInterface
public interface CheckpointChange {
    /** They stay as they are. */
    CheckpointChange NONE = (component, base) -> base;

    /** @throws dev.slipstream.pipelines.model.ModelException if the checkpoint does not fit the change */
    Checkpoint of(Component component, Checkpoint base);
}
