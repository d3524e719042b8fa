package dev.slipstream.pipelines.graph.precision;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.Set;

/**
 * Makes graphs compute in fp16 or bf16, for engines that take every type from the graph ("strongly typed").
 *
 * <p>Products, activations and the arithmetic between them become narrow, and with them what goes between segments.
 * Normalisations (as one operator, or as exporters spell them out), softmax, sums, powers, and all from the timestep to
 * its sines stay fp32, as do integers and whatever is not known to be safe. A value is cast once, where the two meet.
 * Nodes and tensors keep their names. A cast that narrows is in the module of the node whose result it narrows; one
 * that widens is in none, so that cutting the graph repeats it where it is read and the narrow value is the edge.
 *
 * <p>Weights are rounded to nearest even. Where one does not fit (fp16 ends at 65504), the nodes that read it stay
 * fp32, which is logged. Weights in other files stay there, and are only read to see whether they fit; the engine
 * rounds them when it loads them.
 *
 * <p>One object serves one model at any number of sizes: it remembers the weights that it has rounded, so that rewrites
 * share them. <b>Threads:</b> any.
 */
public final class PrecisionRewrite {
    private final Precision precision;
    private final NarrowWeights weights;

    public PrecisionRewrite(Precision precision) {
        this.precision = precision;
        this.weights = new NarrowWeights(precision);
    }

    public Precision precision() {
        return precision;
    }

    /** The graph in this precision. What callers give and take stays as it is: latents and predictions are fp32. */
    public Graph apply(Graph graph) {
        return apply(graph, Set.of());
    }

    /**
     * The graph in this precision; for {@link Precision#FP32} the graph itself. To rewrite twice changes nothing more.
     *
     * @param graph best one with {@linkplain Graph#types types} and without shape arithmetic, such as
     *     {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes
     * @param narrowed float32 inputs and outputs that become narrow, too; all others keep their types
     * @throws GraphException if {@code narrowed} names something else
     */
    public Graph apply(Graph graph, Set<String> narrowed) {
        if (precision == Precision.FP32) {
            return graph;
        }
        return new Narrowing(graph, precision, weights, narrowed).rewrite();
    }
}
