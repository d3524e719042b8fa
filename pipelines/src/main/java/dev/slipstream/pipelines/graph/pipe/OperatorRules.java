package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;

/** What operators of some kind do with the picture's tokens. */
sealed interface OperatorRules permits MixingRules, MovingRules {
    /**
     * @param node that reads tokens
     * @throws GraphException if it cannot be computed for a patch by itself
     */
    NodeFlow of(NodeProto node);

    static GraphException refused(NodeProto node, String why) {
        return new GraphException("node " + Nodes.label(node) + " (" + node.getOpType() + ") " + why
            + ", so that it cannot be computed for a patch of the picture by itself");
    }

    /** Counted from the begin. */
    static int axis(long axis, int rank) {
        return Math.toIntExact(axis < 0 ? axis + rank : axis);
    }
}
