package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.file.InputFile;
import java.nio.file.Path;

/** The forms in which a folder can hold a component. */
public enum ComponentFormat {
    /** A graph that an exporter wrote: {@code model.onnx}. */
    ONNX,
    /** Weights and configuration, from which we write the graph: safetensors and {@code config.json}. */
    CHECKPOINT;

    /** What there is in a component's folder: the graph if it has one, else the checkpoint if it has one. */
    public static ComponentFormat of(Path folder) {
        boolean onlyWeights = !InputFile.isThere(ComponentFile.GRAPH.in(folder)) && ComponentWeights.isIn(folder);
        return onlyWeights ? CHECKPOINT : ONNX;
    }
}
