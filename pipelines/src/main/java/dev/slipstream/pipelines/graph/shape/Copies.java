package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Removes nodes whose output is their input: Identity, Dropout outside training, Cast to the type that it is already,
 * and the zero that exporters add to attention scores.
 */
final class Copies {
    private final KnownValues known;
    private final Set<String> outputs;
    private final Map<String, List<NodeProto>> readers = new HashMap<>();

    private Copies(List<NodeProto> nodes, Set<String> outputs, KnownValues known) {
        this.known = known;
        this.outputs = outputs;
        for (NodeProto node : nodes) {
            Nodes.reads(node).forEach(input -> readers.computeIfAbsent(input, key -> new ArrayList<>()).add(node));
        }
    }

    /**
     * @param nodes in topological order
     * @param outputs tensors whose names must stay
     */
    static List<NodeProto> remove(List<NodeProto> nodes, Set<String> outputs, KnownValues known) {
        Copies copies = new Copies(nodes, outputs, known);
        Renaming renaming = new Renaming();
        Set<String> made = new HashSet<>();
        List<NodeProto> kept = new ArrayList<>();
        for (NodeProto node : nodes) {
            Optional<String> source = copies.source(node).map(renaming::of);
            boolean isOutput = outputs.contains(node.getOutput(0));
            if (source.isPresent() && !isOutput) {
                renaming.put(node.getOutput(0), source.get());
            } else if (source.isPresent() && made.contains(source.get()) && !outputs.contains(source.get())) {
                renaming.put(source.get(), node.getOutput(0));
                made.add(node.getOutput(0));
            } else {
                kept.add(node);
                made.addAll(Nodes.writes(node));
            }
        }
        return kept.stream().map(renaming::apply).toList();
    }

    /** The tensor of which the node's only used output is a copy. */
    private Optional<String> source(NodeProto node) {
        if (!Nodes.isStandard(node) || node.getInputCount() == 0 || node.getOutput(0).isEmpty()) {
            return Optional.empty();
        }
        boolean copies = switch (node.getOpType()) {
            case "Identity" -> true;
            case "Dropout" -> isIdleDropout(node);
            case "Cast" -> known.isKnown(node.getInput(0)) && known.isKnown(node.getOutput(0))
                && known.type(node.getInput(0)).equals(known.type(node.getOutput(0)));
            default -> false;
        };
        return copies ? Optional.of(node.getInput(0)) : addedToZero(node);
    }

    private boolean isIdleDropout(NodeProto node) {
        boolean maskUsed = node.getOutputCount() > 1
            && (readers.containsKey(node.getOutput(1)) || outputs.contains(node.getOutput(1)));
        boolean hasMode = node.getInputCount() > 2 && !node.getInput(2).isEmpty();
        return !maskUsed && (!hasMode || known.constant(node.getInput(2)).filter(Constant::isZero).isPresent());
    }

    /**
     * torch.onnx writes {@code baddbmm} with {@code beta = 0} as an addition of zeros as large as the attention scores.
     * It changes nothing but the sign of zeros, which Softmax does not see.
     */
    private Optional<String> addedToZero(NodeProto node) {
        String output = node.getOutput(0);
        boolean onlySoftmax = !outputs.contains(output) && readers.containsKey(output)
            && readers.get(output).stream().allMatch(reader -> reader.getOpType().equals("Softmax"));
        if (!node.getOpType().equals("Add") || node.getInputCount() != 2 || !onlySoftmax || !known.isKnown(output)) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            String other = node.getInput(1 - i);
            boolean zero = known.constant(node.getInput(i)).filter(Constant::isZero).isPresent();
            if (zero && known.isKnown(other) && known.type(other).equals(known.type(output))) {
                return Optional.of(other);
            }
        }
        return Optional.empty();
    }
}
