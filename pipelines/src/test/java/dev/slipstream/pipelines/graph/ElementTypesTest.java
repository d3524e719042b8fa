package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.List;
import org.junit.jupiter.api.Test;

class ElementTypesTest {
    @Test
    void typesFollowFromOperatorsAndInputs() {
        GraphSketch sketch = new GraphSketch().input("x", 2).output("out", 2)
            .node("Cast", "", List.of("x"), "half", GraphSketch.integer("to", DataType.FLOAT16_VALUE))
            .node("Mul", "", List.of("half", "half"), "product")
            .node("Equal", "", List.of("product", "half"), "equal")
            .node("Where", "", List.of("equal", "product", "half"), "chosen")
            .node("Shape", "", List.of("chosen"), "shape")
            .node("ConstantOfShape", "", List.of("shape"), "zeros")
            .node("Concat", "", List.of("shape", "shape"), "shapes");
        ElementTypes types = new ElementTypes(sketch.node("Tanh", "", List.of("x"), "out").build());

        assertEquals(DataType.FLOAT16_VALUE, types.of("product"));
        assertEquals(DataType.BOOL_VALUE, types.of("equal"));
        assertEquals(DataType.FLOAT16_VALUE, types.of("chosen"));
        assertEquals(DataType.INT64_VALUE, types.of("shapes"));
        assertEquals(DataType.FLOAT_VALUE, types.of("zeros"));
        assertEquals(DataType.FLOAT_VALUE, types.of("unknown"));
    }

    @Test
    void whatTheFileSaysWinsOverTheRule() {
        GraphSketch sketch = new GraphSketch().input("x", 2).output("y", 2)
            .node("Odd", "", List.of("x"), "a").node("Tanh", "", List.of("a"), "y");
        sketch.graph.addValueInfo(GraphSketch.info("a", DataType.BFLOAT16_VALUE, 2));

        assertEquals(DataType.BFLOAT16_VALUE, new ElementTypes(sketch.build()).of("a"));
    }

    @Test
    void bytesFollowFromDimensionsAndType() {
        assertEquals(24, bytes(DataType.FLOAT_VALUE));
        assertEquals(12, bytes(DataType.BFLOAT16_VALUE));
        assertEquals(6, bytes(DataType.BOOL_VALUE));
        assertEquals(-1, bytes(DataType.STRING_VALUE));
        assertEquals(-1, bytes(9999));
    }

    private static long bytes(int type) {
        return TensorSizes.bytes(TensorProto.newBuilder().setDataType(type).addDims(2).addDims(3).build());
    }
}
