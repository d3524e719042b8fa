package dev.slipstream.pipelines.model;

import java.nio.file.Path;

/** How a model's checkpoints are opened: as they lie there, or with changes. */
@FunctionalInterface
public interface CheckpointSource {
    /** As they lie there. */
    CheckpointSource PLAIN = (component, folder) -> Checkpoint.open(folder);

    /**
     * @param component whose weights they are
     * @param folder of the component
     * @throws ModelException if there is no such checkpoint, or it is damaged
     */
    Checkpoint open(Component component, Path folder);
}
