package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import java.util.List;

/**
 * A convex piece of a graph: it can run once all its inputs are there, without waiting for anything in between.
 *
 * @param name unique in its partition: {@code c1}, or {@code c1.0} and {@code c1.1} where component 1 is not convex
 * @param component the component of the cut, counted from 0, that the piece belongs to; negative for a module that is
 *     in none
 * @param graph the piece; its inputs and outputs are tensors of the whole graph under the same names
 */
public record Segment(String name, int component, Graph graph) {
    /** The same piece as one of another component. */
    public Segment of(int other) {
        return new Segment(name, other, graph);
    }

    /** Names of the tensors that the segment reads: inputs of the whole graph, and edges. */
    public List<String> inputs() {
        return graph.inputs().stream().map(ValueInfoProto::getName).toList();
    }

    /** Names of the tensors that the segment makes for others: edges, and outputs of the whole graph. */
    public List<String> outputs() {
        return graph.outputs().stream().map(ValueInfoProto::getName).toList();
    }

    @Override
    public String toString() {
        return "segment " + name + " (" + graph.nodes().size() + " nodes) " + inputs() + " -> " + outputs();
    }
}
