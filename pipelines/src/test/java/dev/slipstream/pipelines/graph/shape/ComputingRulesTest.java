package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.BOOL;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT16;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT64;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;

import ai.onnxruntime.OrtException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Types of operators that compute new values, against ONNX Runtime. */
class ComputingRulesTest {
    private static OperatorCase of(String operator) {
        return OperatorCase.of(operator);
    }

    static Stream<OperatorCase> elementwise() {
        Stream<OperatorCase> unary = Stream.of("Abs", "Acos", "Atan", "Ceil", "Celu", "Cos", "Elu", "Erf", "Exp",
            "Floor", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu",
            "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh",
            "ThresholdedRelu").map(operator -> of(operator).opset(18).floats(2, 3, 1));
        Stream<OperatorCase> binary = Stream.of("Add", "Div", "Max", "Min", "Mul", "Sub", "Sum", "Mean", "Pow", "PRelu")
            .map(operator -> of(operator).floats(2, 3, 5).floats(3, 1));
        Stream<OperatorCase> comparisons = Stream.of("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
            .map(operator -> of(operator).input(INT64, 4, 1).input(INT64, 2, 1, 3));
        Stream<OperatorCase> logic = Stream.of("And", "Or", "Xor").map(operator ->
            of(operator).input(BOOL, 3, 1).input(BOOL, 4));
        return Stream.of(unary, binary, comparisons, logic, Stream.of(
            of("Max").floats(3, 1).floats(1, 2).floats(5, 1, 1),
            of("Not").input(BOOL, 2, 2),
            of("Clip").floats(2, 3).none().weight(Value.reals(FLOAT32, new long[0], 1)),
            of("Mod").input(INT64, 3).weight(4),
            of("Pow").floats(2, 1).input(INT64, 3),
            of("Gelu").opset(20).floats(2, 3),
            of("Where").input(BOOL, 3, 1).floats(1, 4).floats(2, 1, 1),
            of("Cast").attribute("to", FLOAT16.code()).floats(2, 3),
            of("Cast").attribute("to", FLOAT64.code()).floats(2, 3),
            of("CastLike").floats(2, 3).input(INT32, 1),
            of("Dropout").outputs(2).floats(2, 3),
            of("IsNaN").floats(2), of("IsInf").floats(2),
            of("CumSum").floats(2, 3).weight(Value.scalar(1)),
            of("Trilu").floats(2, 3, 4))).flatMap(cases -> cases);
    }

    static Stream<OperatorCase> normalizations() {
        return Stream.of(of("Softmax").attribute("axis", -1).floats(2, 3, 4),
            of("LogSoftmax").floats(2, 3), of("Hardmax").floats(2, 3),
            of("LpNormalization").floats(2, 3),
            of("InstanceNormalization").floats(2, 3, 4, 5).floats(3).floats(3),
            of("GroupNormalization").opset(18).attribute("num_groups", 2).floats(2, 4, 3, 3).floats(2).floats(2),
            of("LayerNormalization").floats(2, 3, 4).floats(4).floats(4),
            of("LayerNormalization").outputs(3).attribute("axis", 1).floats(2, 3, 4).floats(3, 4).floats(3, 4),
            of("BatchNormalization").floats(2, 3, 4, 4).floats(3).floats(3).floats(3).floats(3));
    }

    static Stream<OperatorCase> convolutions() {
        return Stream.of(of("Conv").floats(2, 4, 9, 7).floats(6, 4, 3, 3).floats(6),
            of("Conv").list("strides", 2, 3).list("pads", 1, 0, 2, 1).floats(2, 4, 9, 7).floats(6, 4, 3, 2),
            of("Conv").list("dilations", 2, 1).attribute("group", 2).floats(1, 4, 9, 7).floats(6, 2, 3, 3),
            of("Conv").string("auto_pad", "SAME_UPPER").list("strides", 2, 2).floats(1, 2, 9, 8).floats(3, 2, 3, 3),
            of("Conv").string("auto_pad", "VALID").floats(1, 2, 9, 8).floats(3, 2, 3, 3),
            of("Conv").floats(1, 2, 10).floats(3, 2, 4),
            of("Conv").floats(1, 2, 5, 6, 7).floats(3, 2, 1, 2, 3),
            of("ConvTranspose").floats(2, 4, 5, 7).floats(4, 3, 3, 3),
            of("ConvTranspose").attribute("group", 2).list("strides", 2, 2).list("pads", 1, 1, 0, 1)
                .list("output_padding", 1, 0).floats(2, 4, 5, 7).floats(4, 3, 3, 3),
            of("ConvTranspose").string("auto_pad", "SAME_LOWER").list("strides", 2, 2).floats(1, 4, 5, 7)
                .floats(4, 3, 3, 3),
            of("ConvTranspose").list("output_shape", 10, 14).list("strides", 2, 2).floats(1, 4, 5, 7)
                .floats(4, 3, 3, 3));
    }

    static Stream<OperatorCase> pooling() {
        return Stream.of(of("MaxPool").outputs(2).list("kernel_shape", 3, 2).list("strides", 2, 2).floats(2, 3, 8, 9),
            of("MaxPool").list("kernel_shape", 2, 2).list("strides", 2, 2).attribute("ceil_mode", 1)
                .floats(1, 3, 7, 9),
            of("MaxPool").list("kernel_shape", 2, 2).list("strides", 3, 3).attribute("ceil_mode", 1)
                .list("pads", 1, 1, 1, 1).floats(1, 3, 6, 7),
            of("AveragePool").list("kernel_shape", 3, 3).list("pads", 1, 1, 1, 1).floats(1, 3, 7, 9),
            of("AveragePool").string("auto_pad", "SAME_UPPER").list("kernel_shape", 2, 2).list("strides", 2, 2)
                .floats(1, 3, 7, 9),
            of("GlobalAveragePool").floats(2, 3, 4, 5), of("GlobalMaxPool").floats(2, 3, 4));
    }

    static Stream<OperatorCase> products() {
        return Stream.of(of("MatMul").floats(2, 1, 3, 4).floats(5, 4, 6), of("MatMul").floats(4).floats(4, 6),
            of("MatMul").floats(2, 3, 4).floats(4), of("MatMul").floats(4).floats(4),
            of("MatMul").floats(4).floats(2, 4, 3),
            of("Gemm").floats(2, 4).floats(4, 3).floats(3),
            of("Gemm").attribute("transA", 1).attribute("transB", 1).floats(4, 2).floats(3, 4),
            of("Einsum").string("equation", "bhid,bhjd->bhij").floats(2, 3, 4, 5).floats(2, 3, 6, 5),
            of("Einsum").string("equation", "ij, jk").floats(2, 3).floats(3, 4),
            of("Einsum").string("equation", "...ij,...jk->...ik").floats(2, 5, 3, 4).floats(2, 5, 4, 6),
            of("Einsum").string("equation", "i...->...i").floats(2, 3, 4),
            of("Einsum").string("equation", "ii->i").floats(3, 3),
            of("Einsum").string("equation", "i,j->ij").floats(1).floats(4));
    }

    static Stream<OperatorCase> resizing() {
        return Stream.of(resize().floats(1, 2, 5, 7).none().weight(scales(1, 1, 2, 1.5)),
            resize().floats(1, 2, 5, 7).none().weight(scales(1, 1, 0.7, 0.35)),
            resize().floats(1, 2, 5, 7).none().none().weight(1, 2, 9, 3),
            resize().floats(1, 2, 5, 7).weight(scales()).weight(scales()).weight(1, 2, 9, 3),
            resize().opset(18).list("axes", 3, 2).floats(1, 2, 5, 7).none().none().weight(9, 3),
            resize().opset(18).list("axes", 2, 3).string("keep_aspect_ratio_policy", "not_larger")
                .floats(1, 2, 5, 7).none().none().weight(9, 9),
            resize().opset(18).list("axes", 2, 3).string("keep_aspect_ratio_policy", "not_smaller")
                .floats(1, 2, 5, 7).none().none().weight(9, 9));
    }

    private static OperatorCase resize() {
        return of("Resize").string("mode", "nearest");
    }

    private static Value scales(double... scales) {
        return Value.reals(FLOAT32, new long[] {scales.length}, scales);
    }

    static Stream<OperatorCase> reductions() {
        return Stream.of(of("ReduceMean").list("axes", 1, -1).floats(2, 3, 4),
            of("ReduceMean").list("axes", 1).attribute("keepdims", 0).floats(2, 3, 4),
            of("ReduceMax").floats(2, 3), of("ReduceMin").attribute("keepdims", 0).floats(2, 3),
            of("ReduceMean").opset(18).floats(2, 3, 4).weight(-1),
            of("ReduceSum").floats(2, 3, 4).weight(0, 2),
            of("ReduceSum").attribute("noop_with_empty_axes", 1).floats(2, 3).weight(),
            of("ReduceProd").floats(2, 3), of("ReduceL1").floats(2, 3), of("ReduceL2").floats(2, 3),
            of("ReduceLogSum").floats(2, 3), of("ReduceLogSumExp").floats(2, 3), of("ReduceSumSquare").floats(2, 3),
            of("ArgMax").attribute("axis", -1).attribute("keepdims", 0).floats(2, 3, 4),
            of("ArgMin").floats(2, 3));
    }

    @ParameterizedTest
    @MethodSource({"elementwise", "normalizations", "convolutions", "pooling", "products", "resizing", "reductions"})
    void outputsHaveTheTypesThatOnnxRuntimeGivesThem(OperatorCase operator) throws OrtException {
        operator.checkTypes();
    }
}
