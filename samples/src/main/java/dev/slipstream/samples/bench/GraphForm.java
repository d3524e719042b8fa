package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.DeviceForm;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.ComponentFormat;

/** Whose graph it is, and whether attention is one node in it, as CPU devices get it, or the standard operators. */
enum GraphForm {
    EXPORTED(ComponentFormat.ONNX, DeviceForm.STANDARD, "exporter's"),
    EXPORTED_FUSED(ComponentFormat.ONNX, DeviceForm.FUSED_ATTENTION, "exporter's, attention fused"),
    WRITTEN(ComponentFormat.CHECKPOINT, DeviceForm.STANDARD, "from the checkpoint"),
    WRITTEN_FUSED(ComponentFormat.CHECKPOINT, DeviceForm.FUSED_ATTENTION, "from the checkpoint, attention fused");

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
