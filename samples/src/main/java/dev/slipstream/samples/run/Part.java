package dev.slipstream.samples.run;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.kind.NamedOutput;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A graph of a component.
 *
 * @param name what messages call it
 * @param outputs its outputs with their names on the command line
 */
record Part(String name, Graph graph, List<NamedOutput> outputs) {
    Part {
        outputs = List.copyOf(outputs);
    }

    /** A part whose outputs have the graph's names. */
    static Part of(String name, Graph graph) {
        return new Part(name, graph,
            graph.outputs().stream().map(output -> NamedOutput.of(output.getName())).toList());
    }

    Set<String> inputs() {
        return graph.inputs().stream().map(ValueInfoProto::getName).collect(Collectors.toCollection(
            LinkedHashSet::new));
    }

    /** The part with only those of its outputs. */
    Part only(Set<String> names) {
        List<NamedOutput> chosen = outputs.stream().filter(output -> names.contains(output.name())).toList();
        Set<String> tensors = chosen.stream().map(NamedOutput::tensor).collect(Collectors.toSet());
        List<ValueInfoProto> kept = graph.outputs().stream().filter(it -> tensors.contains(it.getName())).toList();
        return new Part(name, graph.with(graph.inputs(), kept, graph.nodes(), graph.weights()), chosen);
    }
}
