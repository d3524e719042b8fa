package dev.slipstream.samples;

import java.util.stream.IntStream;

/**
 * A plan for Graphviz ({@code dot -Tsvg}): stages as boxes, in a frame for each device; edges with their slip, dashed
 * where the value is of an earlier round. Inputs of the whole graph, which every stage gets, are left out.
 */
final class PlanGraphviz {
    private PlanGraphviz() {
    }

    static String of(PlanSummary plan) {
        StringBuilder text = new StringBuilder("digraph slipstream {\n  rankdir=LR;\n  node [shape=box];\n");
        text.append("  label=").append(quoted(plan.plan())).append(";\n");
        for (int device = 0; device < plan.devices().size(); device++) {
            text.append("  subgraph cluster_").append(device).append(" {\n    label=")
                .append(quoted(device + " (" + plan.devices().get(device).name() + ")")).append(";\n");
            int here = device;
            IntStream.range(0, plan.stages().size()).filter(stage -> plan.stages().get(stage).device() == here)
                .forEach(stage -> text.append("    stage").append(stage).append(" [label=")
                    .append(quoted(plan.stages().get(stage).name())).append("];\n"));
            text.append("  }\n");
        }
        plan.bundles().forEach(edge -> text.append("  stage").append(edge.from()).append(" -> stage")
            .append(edge.to()).append(" [label=").append(quoted("slip " + edge.slip() + ", " + edge.tensorsInWords()
                + ", " + Amounts.bytes(edge.bytes()))).append(edge.slip() == 0 ? "" : ", style=dashed")
            .append("];\n"));
        return text.append('}').toString();
    }

    private static String quoted(String label) {
        return '"' + label.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
