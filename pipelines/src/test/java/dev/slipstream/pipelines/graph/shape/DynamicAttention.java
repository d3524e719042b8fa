package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.shape.GraphBuilder.attribute;
import static dev.slipstream.pipelines.graph.shape.GraphBuilder.branch;
import static dev.slipstream.pipelines.graph.shape.GraphBuilder.list;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.tensor.ValueType;

/**
 * An attention over the pixels of an image of any size and an upsampling, with all the arithmetic on shapes that
 * exporters of such models write: it is what the large models have, in small.
 */
public final class DynamicAttention {
    private DynamicAttention() {
    }

    public static Graph graph() {
        GraphBuilder builder = new GraphBuilder().input("x", FLOAT32, "batch", 4, "height", "width");
        weights(builder);
        sizes(builder);
        attention(builder);
        upsampling(builder);
        return builder.output("y").graph();
    }

    private static void weights(GraphBuilder builder) {
        builder.weight("zero", Value.scalar(0)).weight("one", Value.scalar(1)).weight("two", Value.scalar(2))
            .weight("three", Value.scalar(3)).weight("axis0", Value.list(0)).weight("axis1", Value.list(1))
            .weight("nothing", Value.reals(FLOAT32, new long[0], 0))
            .weight("minus", Value.list(-1))
            .weight("query", Value.random(ValueType.of(FLOAT32, 4, 4), 5))
            .weight("bias", Value.random(ValueType.of(FLOAT32, 1, 1, 1, 1), 6));
    }

    private static void sizes(GraphBuilder builder) {
        builder.node("shape = Shape(x)").node("b = Gather(shape, zero)").node("c = Gather(shape, one)")
            .node("h = Gather(shape, two)").node("w = Gather(shape, three)").node("hw = Mul(h, w)")
            .node("b1 = Unsqueeze(b, axis0)").node("c1 = Unsqueeze(c, axis0)").node("hw1 = Unsqueeze(hw, axis0)")
            .node("flat = Concat(b1, c1, minus)", attribute("axis", 0))
            .node("square = Concat(b1, hw1, hw1)", attribute("axis", 0))
            .node("real = Cast(c)", attribute("to", FLOAT32.code())).node("root = Sqrt(real)")
            .node("h2 = Mul(h, two)").node("w2 = Mul(w, two)").node("h21 = Unsqueeze(h2, axis0)")
            .node("w21 = Unsqueeze(w2, axis0)")
            .node("doubled = Concat(b1, c1, h21, w21)", attribute("axis", 0));
    }

    private static void attention(GraphBuilder builder) {
        builder.node("pixels = Reshape(x, flat)").node("t = Transpose(pixels)", list("perm", 0L, 2L, 1L))
            .node("q = MatMul(t, query)").node("products = MatMul(q, pixels)").node("scaled = Div(products, root)")
            .node("filled = ConstantOfShape(square)").node("zeros = Mul(filled, nothing)")
            .node("scores = Add(scaled, zeros)").node("weights = Softmax(scores)", attribute("axis", -1))
            .node("mixed = MatMul(weights, t)").node("back = Transpose(mixed)", list("perm", 0L, 2L, 1L))
            .node("image = Reshape(back, shape)");
    }

    private static void upsampling(GraphBuilder builder) {
        GraphBuilder squeezed = new GraphBuilder().node("result = Squeeze(image, axis1)").output("result");
        GraphBuilder same = new GraphBuilder().node("result = Identity(image)").output("result");
        builder.node("single = Equal(c, one)")
            .node("chosen = If(single)", branch("then_branch", squeezed), branch("else_branch", same))
            .node("same = Identity(chosen)").node("large = Resize(same, , , doubled)")
            .node("half = Div(c1, axis1)").node("half2 = Cast(half)", attribute("to", INT64.code()))
            .node("part = Slice(large, axis0, half2, axis1)").node("full = Shape(part)")
            .node("spread = Expand(bias, full)").node("sum = Add(part, spread)").node("kept = Dropout(sum)")
            .node("y = Identity(kept)");
    }
}
