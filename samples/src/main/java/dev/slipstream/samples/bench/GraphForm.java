package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.DeviceForm;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.ComponentFormat;

/** Whose graph it is, and whether it has standard operators only or the form that CPU devices get. */
enum GraphForm {
    EXPORTED(ComponentFormat.ONNX, DeviceForm.STANDARD, "exporter's"),
    EXPORTED_FOR_CPU(ComponentFormat.ONNX, DeviceForm.ONNX_RUNTIME, "exporter's, for CPUs"),
    WRITTEN(ComponentFormat.CHECKPOINT, DeviceForm.STANDARD, "from the checkpoint"),
    WRITTEN_FOR_CPU(ComponentFormat.CHECKPOINT, DeviceForm.ONNX_RUNTIME, "from the checkpoint, for CPUs");

    private final ComponentFormat format;
    private final DeviceForm form;
    private final String title;

    GraphForm(ComponentFormat format, DeviceForm form, String title) {
        this.format = format;
        this.form = form;
        this.title = title;
    }

    ComponentFormat format() {
        return format;
    }

    /** The graph in this form. @param graph with fixed shapes */
    Graph of(Graph graph) {
        return form.of(graph);
    }

    @Override
    public String toString() {
        return title;
    }
}
