package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What becomes of the picture's tokens in a node, and what the node reads where there are only those of a patch.
 *
 * @param operands by number of the input; those that are not listed are read as they are
 * @param outputs layout of each, empty for those that have no tokens of the picture
 */
record NodeFlow(NodeProto node, Map<Integer, Operand> operands, List<Optional<TokenLayout>> outputs) {
    /** What is read in place of an input. */
    sealed interface Operand {
        /**
         * The patch's part of what does not depend on the latents, such as positions.
         *
         * @param layout that it would have if it did
         */
        record Table(TokenLayout layout) implements Operand {
        }

        /** The tensor with the tokens of all patches: keys and values. */
        record Gathered() implements Operand {
        }

        /** Other integers, such as a shape. */
        record Integers(Function<Patch, long[]> values) implements Operand {
        }
    }

    NodeFlow {
        operands = Map.copyOf(operands);
        outputs = List.copyOf(outputs);
    }

    /** One that reads its operands as they are. @param layout of all outputs */
    static NodeFlow plain(NodeProto node, TokenLayout layout) {
        return new NodeFlow(node, Map.of(), node.getOutputList().stream().map(output -> Optional.of(layout)).toList());
    }

    NodeFlow with(int input, Operand operand) {
        Map<Integer, Operand> more = new HashMap<>(operands);
        more.put(input, operand);
        return new NodeFlow(node, more, outputs);
    }

    NodeFlow with(int input, Function<Patch, long[]> values) {
        return with(input, new Operand.Integers(values));
    }
}
