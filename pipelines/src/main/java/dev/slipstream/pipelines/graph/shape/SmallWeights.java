package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.List;
import java.util.OptionalDouble;

/** Numbers to and from weights, for rewrites of graphs. */
public final class SmallWeights {
    private SmallWeights() {
    }

    /** The value of a weight that is one real number, of any rank; empty for others and those in another file. */
    public static OptionalDouble scalar(TensorProto weight) {
        return ConstantProtos.read(weight)
            .filter(constant -> constant.type().element().isReal() && constant.type().elements() == 1)
            .map(constant -> OptionalDouble.of(constant.real(0))).orElse(OptionalDouble.empty());
    }

    /** A list of integers, such as the shape for a Reshape. */
    public static TensorProto integers(String name, List<Long> values) {
        return ConstantProtos.write(name, Constant.of(ValueType.of(ElementType.INT64, values.size()),
            values.stream().mapToLong(Long::longValue).toArray()));
    }
}
