package dev.slipstream.pipelines.model;

import java.nio.file.Path;

/** The files of a component's folder that are read by name, beside its weights. */
public enum ComponentFile {
    /** What an exporter wrote. */
    GRAPH("model.onnx"),
    /** The settings of the model. */
    CONFIG("config.json");

    private final String fileName;

    ComponentFile(String fileName) {
        this.fileName = fileName;
    }

    public Path in(Path component) {
        return component.resolve(fileName);
    }

    String fileName() {
        return fileName;
    }
}
