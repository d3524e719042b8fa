package dev.slipstream.samples;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A plan for people: aligned tables. */
final class PlanText {
    private final PlanSummary plan;

    private PlanText(PlanSummary plan) {
        this.plan = plan;
    }

    static String of(PlanSummary plan) {
        return new PlanText(plan).write() + (plan.refiner() == null ? ""
            : "\n\nthen the refiner, which is there from the start: the table above counts its memory, too\n\n"
                + of(plan.refiner()));
    }

    private String write() {
        String title = plan.plan() + ", " + plan.steps() + " steps, " + (plan.guided() ? "with" : "without")
            + " guidance" + (plan.isNarrow() ? ", " + plan.precision() : "") + "\n";
        String copied = Amounts.bytes(plan.copiedBytes()) + " are copied between devices for a picture";
        return Stream.of(title, segments(), stages(), edges(), memory(), copied).filter(part -> !part.isEmpty())
            .collect(Collectors.joining("\n"));
    }

    private String segments() {
        Table table = new Table().left("segment").right("nodes").right("weights").right("work");
        plan.segments().forEach(segment -> table.row(segment.name(), segment.nodes(),
            Amounts.bytes(segment.weightBytes()), String.format(Locale.ROOT, "%.1f %%", 100 * segment.workShare())));
        return table.toString();
    }

    private String stages() {
        Table table = new Table().left("stage").left("on device");
        plan.stages().forEach(stage -> table.row(stage.name(), device(stage.device())));
        return table.toString();
    }

    private String edges() {
        Table table = new Table().left("from").left("to").right("slip").right("tensors").right("bytes a step").left("");
        plan.bundles().forEach(edge -> table.row(plan.stages().get(edge.from()).name(),
            plan.stages().get(edge.to()).name(), edge.slip(), edge.tensors(), Amounts.bytes(edge.bytes()), way(edge)));
        return plan.edges().isEmpty() ? "" : table.toString();
    }

    private String way(EdgeBundle edge) {
        int from = plan.stages().get(edge.from()).device();
        int to = plan.stages().get(edge.to()).device();
        return from == to ? "" : "device " + from + " to " + to;
    }

    private String memory() {
        Table table = new Table().left("device").right("weights").right("encoder, decoder").right("buffers")
            .right("work space");
        for (int index = 0; index < plan.devices().size(); index++) {
            PlanSummary.DeviceEntry device = plan.devices().get(index);
            table.row(device(index), Amounts.bytes(device.weightBytes()), Amounts.bytes(device.componentBytes()),
                Amounts.bytes(device.bufferBytes()), Amounts.bytes(device.workBytes()));
        }
        return table.toString();
    }

    /** With its number, as several devices may be written alike: shares of the cores. */
    private String device(int index) {
        return index + " (" + plan.devices().get(index).name() + ")";
    }
}
