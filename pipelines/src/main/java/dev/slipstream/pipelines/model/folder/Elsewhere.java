package dev.slipstream.pipelines.model.folder;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.util.Optional;

/** Components that do not lie in folders of the model, and what is known about the model beside. */
public interface Elsewhere extends AutoCloseable {
    /** All lies in the folder. */
    Elsewhere NOTHING = component -> {
        throw new IllegalStateException("nothing lies elsewhere, and no " + component);
    };

    default boolean has(Component component) {
        return false;
    }

    /** @param component that it has */
    Checkpoint checkpoint(Component component);

    /** The configuration of a component, if it is known without the folder's. */
    default Optional<ConfigFile> config(Component component) {
        return Optional.empty();
    }

    /** The settings of the pipeline, if they are known without the folder's. */
    default Optional<ConfigFile> settings() {
        return Optional.empty();
    }

    /** The noise scheduler, if it is known without the folder's. */
    default Optional<ConfigFile> noiseScheduler() {
        return Optional.empty();
    }

    /** @param what is neither here nor in a folder, as a path in the layout of diffusers */
    default ModelException missing(String what) {
        return new ModelException(what + " is missing");
    }

    /** Gives back what checkpoints need. Closing twice is harmless. */
    @Override
    default void close() {
    }
}
