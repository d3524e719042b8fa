package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Attention of q [rows, queries, channels] to k and v [rows, keys, channels], in the ways that exporters write it. */
public record AttentionSketch(long rows, long heads, long queries, long keys, long width, long valueWidth, Heads place,
    Scale scale, boolean turnedTwice) {

    /** Where heads are in the products. */
    public enum Heads {
        AXIS, BATCH
    }

    /** What is multiplied or divided. */
    public enum Scale {
        NOTHING, QUERY, KEY, BOTH, SCORES, DIVIDED_SCORES
    }

    static AttentionSketch random(long seed) {
        Random random = new Random(seed);
        return new AttentionSketch(random.nextInt(1, 4), random.nextInt(1, 5), random.nextInt(2, 40),
            random.nextInt(2, 40), random.nextInt(1, 9), random.nextInt(1, 9),
            Heads.values()[random.nextInt(Heads.values().length)],
            Scale.values()[random.nextInt(Scale.values().length)], random.nextBoolean());
    }

    /** With fixed shapes. */
    public Graph graph() {
        return fixed(sketch());
    }

    Graph fixed(GraphSketch sketch) {
        return StaticShapes.fix(sketch.build(), inputs());
    }

    Map<String, TensorType> inputs() {
        return Map.of("q", TensorType.of(DataType.FLOAT32, rows, queries, heads * width),
            "k", TensorType.of(DataType.FLOAT32, rows, keys, heads * width),
            "v", TensorType.of(DataType.FLOAT32, rows, keys, heads * valueWidth));
    }

    GraphSketch sketch() {
        GraphSketch sketch = products();
        return mixed(sketch.node("Softmax", "/attn/Softmax", List.of(scale == Scale.SCORES
            || scale == Scale.DIVIDED_SCORES ? "scaled" : "scores"), "map", GraphSketch.integer("axis", -1)));
    }

    /** Up to {@code scores}, and {@code scaled} where these are scaled. */
    GraphSketch products() {
        GraphSketch sketch = new GraphSketch().input("q", rows, queries, heads * width)
            .input("k", rows, keys, heads * width).input("v", rows, keys, heads * valueWidth)
            .output("y", rows, queries, heads * valueWidth).weight("factor", new float[] {0.7f});
        operand(sketch, "q", queries, width, scale == Scale.QUERY || scale == Scale.BOTH);
        operand(sketch, "k", keys, width, scale == Scale.KEY || scale == Scale.BOTH);
        operand(sketch, "v", keys, valueWidth, false);
        if (turnedTwice || place == Heads.BATCH) {
            sketch.node("Transpose", "/attn/Turn", List.of("k/heads"), "k/turned",
                place == Heads.BATCH ? order(0, 2, 1) : order(0, 1, 3, 2));
        } else {
            sketch.node("Transpose", "/attn/Turn", List.of("k/apart"), "k/turned", order(0, 2, 3, 1));
            if (scale == Scale.KEY || scale == Scale.BOTH) {
                sketch.node("Mul", "/attn/Shrink", List.of("factor", "k/turned"), "k/shrunk");
            }
        }
        boolean shrunk = place == Heads.AXIS && !turnedTwice && (scale == Scale.KEY || scale == Scale.BOTH);
        sketch.node("MatMul", "/attn/MatMul", List.of("q/heads", shrunk ? "k/shrunk" : "k/turned"), "scores");
        return switch (scale) {
            case SCORES -> sketch.node("Mul", "/attn/Mul", List.of("scores", "factor"), "scaled");
            case DIVIDED_SCORES -> sketch.node("Div", "/attn/Div", List.of("scores", "factor"), "scaled");
            default -> sketch;
        };
    }

    private void operand(GraphSketch sketch, String name, long tokens, long size, boolean scaled) {
        sketch.weight(shape(name + "/split", rows, tokens, heads, size))
            .node("Reshape", "/attn/Split_" + name, List.of(name, name + "/split"), name + "/apart");
        String apart = name + "/apart";
        if (scaled) {
            sketch.node("Mul", "/attn/Scale_" + name, List.of(apart, "factor"), name + "/scaled");
            apart = name + "/scaled";
        }
        boolean batched = place == Heads.BATCH;
        sketch.node("Transpose", "/attn/Heads_" + name, List.of(apart), name + (batched ? "/front" : "/heads"),
            order(0, 2, 1, 3));
        if (batched) {
            sketch.weight(shape(name + "/batch", rows * heads, tokens, size))
                .node("Reshape", "/attn/Batch_" + name, List.of(name + "/front", name + "/batch"), name + "/heads");
        }
    }

    /** From {@code map} to the output. */
    GraphSketch mixed(GraphSketch sketch) {
        sketch.node("MatMul", "/attn/MatMul_1", List.of("map", "v/heads"), "mixed");
        String heads = "mixed";
        if (place == Heads.BATCH) {
            heads = "unbatched";
            sketch.weight(shape("unbatch", rows, this.heads, queries, valueWidth))
                .node("Reshape", "/attn/Unbatch", List.of("mixed", "unbatch"), heads);
        }
        return sketch.node("Transpose", "/attn/Tokens", List.of(heads), "tokens", order(0, 2, 1, 3))
            .weight(shape("join", rows, queries, this.heads * valueWidth))
            .node("Reshape", "/attn/Join", List.of("tokens", "join"), "joined")
            .node("Tanh", "/attn/Tanh", List.of("joined"), "y");
    }

    static AttributeProto order(long... axes) {
        AttributeProto.Builder order = AttributeProto.newBuilder().setName("perm")
            .setType(AttributeProto.AttributeType.INTS);
        for (long axis : axes) {
            order.addInts(axis);
        }
        return order.build();
    }

    static TensorProto shape(String name, long... dims) {
        TensorProto.Builder shape = TensorProto.newBuilder().setName(name).addDims(dims.length)
            .setDataType(TensorProto.DataType.INT64.getNumber());
        for (long dim : dims) {
            shape.addInt64Data(dim);
        }
        return shape.build();
    }
}
