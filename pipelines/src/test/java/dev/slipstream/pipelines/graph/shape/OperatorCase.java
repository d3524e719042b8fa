package dev.slipstream.pipelines.graph.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import com.google.protobuf.ByteString;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A model of one node, whose inputs are given when it runs or are weights, and the check against ONNX Runtime. */
final class OperatorCase {
    private final NodeProto.Builder node;
    private final Map<String, Value> given = new LinkedHashMap<>();
    private final Map<String, Value> weights = new LinkedHashMap<>();
    private int opset = 17;

    private OperatorCase(String operator) {
        node = NodeProto.newBuilder().setOpType(operator).setName("the/" + operator);
    }

    static OperatorCase of(String operator) {
        return new OperatorCase(operator).outputs(1);
    }

    OperatorCase opset(int version) {
        opset = version;
        return this;
    }

    OperatorCase outputs(int count) {
        node.clearOutput();
        for (int i = 0; i < count; i++) {
            node.addOutput("out" + i);
        }
        return this;
    }

    OperatorCase attribute(String name, long value) {
        node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT)
            .setI(value));
        return this;
    }

    OperatorCase list(String name, long... values) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name)
            .setType(AttributeProto.AttributeType.INTS);
        for (long value : values) {
            attribute.addInts(value);
        }
        node.addAttribute(attribute);
        return this;
    }

    OperatorCase string(String name, String value) {
        node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.STRING)
            .setS(ByteString.copyFromUtf8(value)));
        return this;
    }

    OperatorCase tensor(String name, TensorProto value) {
        node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.TENSOR)
            .setT(value));
        return this;
    }

    /** The next input is given when the model runs. */
    OperatorCase input(ElementType element, long... dims) {
        return input(Value.random(ValueType.of(element, dims), node.getInputCount()));
    }

    OperatorCase input(Value value) {
        String name = "in" + node.getInputCount();
        given.put(name, value);
        node.addInput(name);
        return this;
    }

    /** The next input is a float32 tensor, given when the model runs. */
    OperatorCase floats(long... dims) {
        return input(ElementType.FLOAT32, dims);
    }

    /** The next input is a weight. */
    OperatorCase weight(Value value) {
        String name = "weight" + node.getInputCount();
        weights.put(name, value);
        node.addInput(name);
        return this;
    }

    OperatorCase weight(long... values) {
        return weight(Value.list(values));
    }

    /** The next input is optional and left out. */
    OperatorCase none() {
        node.addInput("");
        return this;
    }

    ModelProto model() {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("case").addNode(node);
        given.forEach((name, value) -> graph.addInput(ValueInfos.of(name, value.type())));
        weights.forEach((name, value) -> graph.addInitializer(value.proto(name)));
        node.getOutputList().forEach(name -> graph.addOutput(ValueInfoProto.newBuilder().setName(name)));
        return ModelProto.newBuilder().setIrVersion(8).setGraph(graph)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset)).build();
    }

    KnownValues infer() {
        Map<String, TensorType> types = new LinkedHashMap<>();
        given.forEach((name, value) -> types.put(name, value.type().onDevices().orElseThrow()));
        return Propagation.through(GraphProtos.read(model(), Optional.empty()), types).known();
    }

    Map<String, Value> run() throws OrtException {
        return Oracle.run(model(), given);
    }

    /** Every output has the type that ONNX Runtime gives it. */
    void checkTypes() throws OrtException {
        KnownValues known = infer();
        run().forEach((name, value) ->
            assertEquals(value.type(), known.type(name), () -> this + ", " + name));
    }

    /** Every output has the values that ONNX Runtime gives it, to the last bit. */
    void checkValues() throws OrtException {
        KnownValues known = infer();
        run().forEach((name, value) -> {
            Constant folded = known.constant(name).orElseThrow(() -> new AssertionError(this + " is not folded"));
            assertEquals(value.type(), folded.type(), this::toString);
            assertEquals(value.bytes(), Value.of(folded).bytes(), () -> this + ", " + name + " is " + folded);
        });
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(node.getOpType()).append("-").append(opset);
        node.getAttributeList().forEach(attribute -> text.append(" ").append(attribute.getName()).append("=")
            .append(attribute.hasI() ? attribute.getI() : attribute.hasS() ? attribute.getS().toStringUtf8()
                : attribute.getIntsList()));
        node.getInputList().forEach(name -> text.append(" ")
            .append(given.containsKey(name) ? given.get(name) : weights.containsKey(name) ? weights.get(name) : "-"));
        return text.toString();
    }
}
