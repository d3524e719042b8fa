package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.TensorSizes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * A cut and what it means for each device.
 *
 * @param load of the whole network, in which nothing is done again
 * @param shares by component
 */
public record FoundCut(Division cut, double load, List<Share> shares) {
    public FoundCut {
        shares = List.copyOf(shares);
    }

    /**
     * What a component has to do.
     *
     * @param load the costs of its nodes that change from step to step
     * @param weightBytes that it needs, with those of what is replicated in it
     * @param receivedBytes of tensors of other components that it reads in a step
     */
    public record Share(double load, long weightBytes, long receivedBytes) {
    }

    /** The largest share of the load: with equal devices, a step takes so much of its time on one. */
    public double bottleneck() {
        return shares.stream().mapToDouble(Share::load).max().orElse(0) / load;
    }

    /** Bytes that go from component to component in a step. */
    public long bytes() {
        return shares.stream().mapToLong(Share::receivedBytes).sum();
    }

    /** The most bytes of weights of a component. */
    public long fullest() {
        return shares.stream().mapToLong(Share::weightBytes).max().orElse(0);
    }

    /** Counts what each component does, holds and receives. */
    static final class Counting {
        private final Graph live;
        private final StepDependence dependence;
        private final ToDoubleFunction<NodeProto> cost;
        private final Ownership owners;
        private final Map<String, TensorType> types;

        Counting(Graph live, StepDependence dependence, ToDoubleFunction<NodeProto> cost, Ownership owners) {
            this.live = live;
            this.dependence = dependence;
            this.cost = cost;
            this.owners = owners;
            this.types = ValueInfos.types(live);
        }

        FoundCut of(Division cut) {
            List<Share> shares = new ArrayList<>();
            for (int component = 0; component < cut.size(); component++) {
                shares.add(share(component));
            }
            double load = live.nodes().stream().filter(dependence::changes)
                .filter(node -> owners.owner(node).orElse(0) >= 0).mapToDouble(cost).sum();
            return new FoundCut(cut, load, shares);
        }

        private Share share(int component) {
            Set<NodeProto> nodes = Collections.newSetFromMap(new IdentityHashMap<>());
            Set<String> received = new HashSet<>();
            live.nodes().stream().filter(node -> owners.owner(node).equals(OptionalInt.of(component)))
                .forEach(node -> collect(node, component, nodes, received));
            Set<String> weights = new HashSet<>();
            nodes.forEach(node -> Nodes.reads(node).stream().filter(live.weights()::containsKey)
                .forEach(weights::add));
            return new Share(nodes.stream().filter(dependence::changes).mapToDouble(cost).sum(),
                weights.stream().mapToLong(weight -> Math.max(0, TensorSizes.bytes(live.weights().get(weight)))).sum(),
                received.stream().mapToLong(tensor -> PieceChain.bytes(types, tensor)).sum());
        }

        /** A node, and what is replicated for it. */
        private void collect(NodeProto node, int component, Set<NodeProto> nodes, Set<String> received) {
            if (nodes.add(node)) {
                for (String tensor : Nodes.reads(node)) {
                    Optional<NodeProto> maker = live.producer(tensor);
                    if (maker.isPresent() && !StepDependence.asksOnlyForShape(node)) {
                        OptionalInt owner = owners.owner(maker.get());
                        if (owner.isEmpty() || owners.isRepeated(maker.get(), component)) {
                            collect(maker.get(), component, nodes, received);
                        } else if (owner.getAsInt() >= 0 && owner.getAsInt() != component) {
                            received.add(tensor);
                        }
                    }
                }
            }
        }
    }
}
