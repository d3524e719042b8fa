package dev.slipstream.pipelines.model.init;

/**
 * A folder of a new model.
 *
 * @param name of the folder
 * @param className what diffusers or transformers call its kind
 * @param parameters numbers in its weights; 0 where it has none
 * @param bytes of its weights; 0 where it has none
 */
public record WrittenPart(String name, String className, long parameters, long bytes) {
}
