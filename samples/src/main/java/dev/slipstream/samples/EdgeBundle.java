package dev.slipstream.samples;

import dev.slipstream.samples.PlanSummary.EdgeEntry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tensors that go from one stage to another with the same slip, as one: a network has dozens. */
record EdgeBundle(int from, int to, int slip, int tensors, long bytes) {
    private record Way(int from, int to, int slip) {
    }

    static List<EdgeBundle> of(List<EdgeEntry> edges) {
        Map<Way, EdgeBundle> bundles = new LinkedHashMap<>();
        for (EdgeEntry edge : edges) {
            bundles.merge(new Way(edge.from(), edge.to(), edge.slip()),
                new EdgeBundle(edge.from(), edge.to(), edge.slip(), 1, edge.bytes()), EdgeBundle::and);
        }
        return List.copyOf(bundles.values());
    }

    private EdgeBundle and(EdgeBundle more) {
        return new EdgeBundle(from, to, slip, tensors + more.tensors, bytes + more.bytes);
    }

    String tensorsInWords() {
        return tensors + (tensors == 1 ? " tensor" : " tensors");
    }
}
