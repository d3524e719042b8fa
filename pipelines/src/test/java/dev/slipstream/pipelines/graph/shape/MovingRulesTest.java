package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.BOOL;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT16;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;

import ai.onnxruntime.OrtException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Types of operators that move, pick, join and make elements, against ONNX Runtime. */
class MovingRulesTest {
    private static OperatorCase of(String operator) {
        return OperatorCase.of(operator);
    }

    static Stream<OperatorCase> layout() {
        return Stream.of(of("Reshape").floats(2, 3, 4).weight(0, -1), of("Reshape").floats(2, 3, 4).weight(4, 6),
            of("Reshape").floats(0, 3).weight(0, 0),
            of("Reshape").attribute("allowzero", 1).floats(0, 3).weight(3, 0),
            of("Reshape").floats(1).weight(),
            of("Flatten").floats(2, 3, 4), of("Flatten").attribute("axis", -1).floats(2, 3, 4),
            of("Flatten").attribute("axis", 0).floats(2, 3),
            of("Transpose").floats(2, 3, 4), of("Transpose").list("perm", 2, 0, 1).floats(2, 3, 4),
            of("Squeeze").floats(1, 3, 1), of("Squeeze").floats(1, 3, 1).weight(-1),
            of("Squeeze").floats(1, 3, 1).weight(),
            of("Squeeze").opset(11).list("axes", 0).floats(1, 3, 1),
            of("Unsqueeze").floats(2, 3).weight(0, -1), of("Unsqueeze").opset(11).list("axes", 1, 3).floats(2, 3),
            of("Expand").floats(3, 1).weight(2, 1, 6), of("Expand").floats(3, 4).weight(1),
            of("Tile").floats(2, 3).weight(2, 1),
            of("Pad").floats(2, 3).weight(1, 0, 2, -1), of("Pad").opset(18).floats(2, 3).weight(1, 2).none().weight(-1),
            of("DepthToSpace").attribute("blocksize", 2).string("mode", "CRD").floats(1, 8, 3, 5),
            of("SpaceToDepth").attribute("blocksize", 2).floats(1, 2, 4, 6));
    }

    static Stream<OperatorCase> joining() {
        return Stream.of(of("Concat").attribute("axis", 1).floats(2, 3, 4).floats(2, 1, 4).floats(2, 2, 4),
            of("Concat").attribute("axis", -1).floats(3).floats(2),
            of("Split").outputs(2).attribute("axis", 1).floats(2, 6), of("Split").outputs(3).floats(6).weight(1, 2, 3),
            of("Split").opset(11).outputs(2).list("split", 2, 1).floats(3, 2),
            of("Split").opset(18).outputs(3).attribute("num_outputs", 3).floats(7));
    }

    static Stream<OperatorCase> indexing() {
        return Stream.of(of("Slice").floats(5, 6).weight(1, 0).weight(4, 3),
            of("Slice").floats(5, 6).weight(-2).weight(99).weight(1),
            of("Slice").floats(5, 6).weight(-1).weight(Long.MIN_VALUE).weight(0).weight(-2),
            of("Slice").floats(5).weight(3).weight(1),
            of("Gather").floats(5, 6).weight(Value.scalar(2)), of("Gather").attribute("axis", 1).floats(5, 6, 2)
                .weight(Value.integers(INT32, new long[] {2, 2}, 0, -1, 5, 3)),
            of("GatherElements").attribute("axis", 1).floats(3, 2)
                .weight(Value.integers(INT64, new long[] {3, 1}, 0, 1, 0)),
            of("GatherND").floats(3, 4, 5).weight(Value.integers(INT64, new long[] {2, 2}, 0, 1, 2, 3)),
            of("GatherND").attribute("batch_dims", 1).floats(2, 4, 5)
                .weight(Value.integers(INT64, new long[] {2, 1}, 0, 1)),
            of("ScatterND").floats(4, 5).weight(Value.integers(INT64, new long[] {2, 1}, 0, 2)).floats(2, 5),
            of("ScatterElements").floats(3, 3).weight(Value.integers(INT64, new long[] {1, 2}, 0, 2)).floats(1, 2),
            of("TopK").outputs(2).floats(3, 9).weight(4),
            of("TopK").outputs(2).attribute("axis", 0).floats(3, 9).weight(2),
            of("OneHot").weight(1, 2, 0).weight(Value.scalar(4)).floats(2),
            of("OneHot").attribute("axis", 0).weight(1, 2).weight(Value.scalar(4)).floats(2));
    }

    static Stream<OperatorCase> generators() {
        return Stream.of(of("Shape").floats(2, 3, 4), of("Shape").attribute("start", -2).floats(2, 3, 4),
            of("Shape").attribute("start", 1).attribute("end", 2).floats(2, 3, 4), of("Shape").floats(),
            of("Shape").attribute("start", 2).attribute("end", -9).floats(2, 3),
            of("Size").floats(2, 3), of("EyeLike").attribute("dtype", INT64.code()).floats(3, 3),
            of("ConstantOfShape").weight(2, 3), of("ConstantOfShape").weight(),
            of("ConstantOfShape").tensor("value", Value.list(7).proto("")).weight(2, 0),
            of("ConstantOfShape").tensor("value", Value.integers(BOOL, new long[] {1}, 1).proto("")).weight(2),
            of("Range").weight(Value.scalar(2)).weight(Value.scalar(11)).weight(Value.scalar(4)),
            of("Range").weight(Value.scalar(2)).weight(Value.scalar(-11)).weight(Value.scalar(-4)),
            of("Range").weight(Value.scalar(2)).weight(Value.scalar(1)).weight(Value.scalar(4)),
            of("Range").weight(real(0.5)).weight(real(2.1)).weight(real(0.4)),
            of("Constant").tensor("value", Value.reals(FLOAT16, new long[] {2}, 1, 2).proto("")),
            of("Constant").list("value_ints", 1, 2, 3), of("Constant").attribute("value_int", 4));
    }

    private static Value real(double value) {
        return Value.reals(FLOAT32, new long[0], value);
    }

    @ParameterizedTest
    @MethodSource({"layout", "joining", "indexing", "generators"})
    void outputsHaveTheTypesThatOnnxRuntimeGivesThem(OperatorCase operator) throws OrtException {
        operator.checkTypes();
    }
}
