package dev.slipstream.pipelines.model.folder;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import java.nio.file.Path;

/** The forms in which a folder can hold a component. */
public enum ComponentFormat {
    /** A graph that an exporter wrote: {@code model.onnx}. */
    ONNX,
    /** Weights and configuration, from which we write the graph: safetensors and {@code config.json}. */
    CHECKPOINT;

    /** The form in a component's folder: a graph if there is one or if there are no weights, else a checkpoint. */
    public static ComponentFormat of(Path folder) {
        boolean onlyWeights = !InputFile.isThere(ComponentFile.GRAPH.in(folder)) && ComponentWeights.isIn(folder);
        return onlyWeights ? CHECKPOINT : ONNX;
    }
}
