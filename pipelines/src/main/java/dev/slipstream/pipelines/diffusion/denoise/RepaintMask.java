package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.ArrayList;
import java.util.List;

/**
 * Which latents are drawn (1) and which are known (0), row by row.
 *
 * <p>Models without channels for a mask are made to repaint by putting the known part back after every step (Lugmayr et
 * al. 2022, without resampling). What they predict there does not matter, so their graph ends with a product with the
 * mask, and the noise table adds a prediction that leads the known part where it belongs: all that is left are linear
 * combinations, and predictions that lag do no harm to what is known.
 *
 * @see dev.slipstream.pipelines.run.loop.NoiseTable#repainting
 */
public record RepaintMask(int height, int width, float[] values) {
    public static final String INPUT = "repaint_mask";
    private static final int HALF_WHITE = 128;

    /** The mask at the size of the latents, by the nearest pixel up and left. @param factor pixels a latent */
    public static RepaintMask of(Image mask, int factor) {
        int height = mask.height() / factor;
        int width = mask.width() / factor;
        float[] values = new float[height * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = isDrawn(mask, i % width * factor, i / width * factor) ? 1 : 0;
        }
        return new RepaintMask(height, width, values);
    }

    /**
     * The mask with all of its pixels, 1 or 0, as channels {@code [factor², height, width]} of latents, in which the
     * pixels of a latent stand row by row.
     *
     * @param factor pixels a latent
     */
    public static float[] pixels(Image mask, int factor) {
        int height = mask.height() / factor;
        int width = mask.width() / factor;
        float[] values = new float[factor * height * factor * width];
        for (int i = 0; i < values.length; i++) {
            int channel = i / (height * width);
            int place = i % (height * width);
            values[i] = isDrawn(mask, place % width * factor + channel % factor,
                place / width * factor + channel / factor) ? 1 : 0;
        }
        return values;
    }

    /** Whether a pixel of a mask is at least half white. */
    public static boolean isDrawn(Image mask, int column, int row) {
        int colour = mask.rgbAt(column, row);
        int grey = (299 * (colour >> 16) + 587 * (colour >> 8 & 0xFF) + 114 * (colour & 0xFF) + 500) / 1000;
        return grey >= HALF_WHITE;
    }

    /** As the denoiser is told it. */
    public ConditionValues told() {
        double[] numbers = new double[values.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = values[i];
        }
        return new ConditionValues(Shape.of(1, height, width), numbers, numbers);
    }

    /** The mask at an element of latents {@code [channels, height, width]}. */
    public float at(long element) {
        return values[(int) (element % values.length)];
    }

    /** The denoiser's graph, which predicts 0 where its new input, the mask, is 0. @param sample its latents' input */
    static Graph rewrite(Graph graph, String sample) {
        ValueInfoProto prediction = graph.outputs().getFirst();
        ValueInfoProto latents = graph.inputs().stream().filter(input -> input.getName().equals(sample)).findFirst()
            .orElseThrow(() -> new GraphException("the denoiser has no input '" + sample + "'"));
        NodeProto last = graph.producer(prediction.getName()).orElseThrow(() ->
            new GraphException("the denoiser's output '" + prediction.getName() + "' is made by no node"));
        ValueInfoProto.Builder mask = latents.toBuilder().setName(INPUT);
        mask.getTypeBuilder().getTensorTypeBuilder()
            .setElemType(TensorProto.DataType.FLOAT_VALUE)
            .getShapeBuilder().setDim(1, Dimension.newBuilder().setDimValue(1));
        String masked = prediction.getName() + "." + INPUT;
        // Beside the node before it, so that every cut puts both into one part.
        String module = last.getName().substring(0, last.getName().lastIndexOf('/') + 1);
        List<NodeProto> nodes = new ArrayList<>(graph.nodes());
        nodes.add(NodeProto.newBuilder().setOpType("Mul").setName(module + INPUT).addInput(prediction.getName())
            .addInput(INPUT).addOutput(masked).build());
        List<ValueInfoProto> inputs = new ArrayList<>(graph.inputs());
        inputs.add(mask.build());
        List<ValueInfoProto> outputs = new ArrayList<>(graph.outputs());
        outputs.set(0, prediction.toBuilder().setName(masked).build());
        return graph.with(inputs, outputs, nodes, graph.weights());
    }
}
