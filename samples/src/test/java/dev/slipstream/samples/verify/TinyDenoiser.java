package dev.slipstream.samples.verify;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A denoiser of a few nodes with the module paths of Stable Diffusion 2.1, as a graph and, for oracles, as plain Java.
 * The published table cuts it in two: C0 is a convolution, a tanh and a chain of factors, C1 the rest, which reads a
 * skip of C0. Both depend on the timestep and on the conditions.
 */
final class TinyDenoiser {
    static final int CHANNELS = 4;
    private static final int TOKENS = 3;
    /** Modules of the first component between its tanh and its end, each a factor. */
    private static final List<String> FIRST = List.of("mid_block", "up_blocks.0", "up_blocks.1.resnets.0",
        "up_blocks.1.attentions.0", "up_blocks.1.resnets.1", "up_blocks.1.attentions.1", "up_blocks.1.resnets.2");
    private static final List<String> SECOND = List.of("up_blocks.1.attentions.2", "up_blocks.1.upsamplers.0",
        "up_blocks.2", "up_blocks.3");
    private static final float FACTOR = 0.97f;
    private static final float TIME_FIRST = 1e-3f;
    private static final float TIME_SECOND = -7e-4f;
    private static final float LABEL = 0.05f;

    private final int extraChannels;
    private final boolean labels;
    private final float[] convIn;
    private final float[] convOut;

    TinyDenoiser(int extraChannels, boolean labels) {
        this.extraChannels = extraChannels;
        this.labels = labels;
        Random random = new Random(5);
        convIn = weights(random, CHANNELS * (CHANNELS + extraChannels));
        convOut = weights(random, CHANNELS * CHANNELS);
    }

    private static float[] weights(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 0.3f * (float) random.nextGaussian();
        }
        return values;
    }

    /** What C0 hands on: the chain and the skip, {@code [4, pixels]}. */
    record Carried(double[] chain, double[] skip) {
    }

    /** @param sample {@code [4 + extra, pixels]} of one row; {@code bias} what the conditions of the row amount to */
    Carried first(double[] sample, double timestep, double bias) {
        double[] skip = convolve(convIn, sample, CHANNELS + extraChannels);
        double[] chain = new double[skip.length];
        for (int i = 0; i < skip.length; i++) {
            chain[i] = Math.tanh(skip[i] + TIME_FIRST * timestep + bias) * Math.pow(FACTOR, FIRST.size());
        }
        return new Carried(chain, skip);
    }

    double[] second(Carried carried, double timestep, double bias) {
        double[] hidden = new double[carried.chain().length];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = Math.tanh(carried.chain()[i] * Math.pow(FACTOR, SECOND.size()) + carried.skip()[i]
                + TIME_SECOND * timestep + bias);
        }
        return convolve(convOut, hidden, CHANNELS);
    }

    /** What the conditions of a row add. @param label 0 where the denoiser takes no labels */
    static double bias(float[] states, int row, int label) {
        int each = states.length / 2;
        double sum = 0;
        for (int i = 0; i < each; i++) {
            sum += states[row * each + i];
        }
        return sum / each + LABEL * label;
    }

    private static double[] convolve(float[] weights, double[] input, int channels) {
        int pixels = input.length / channels;
        double[] result = new double[CHANNELS * pixels];
        for (int out = 0; out < CHANNELS; out++) {
            for (int in = 0; in < channels; in++) {
                for (int pixel = 0; pixel < pixels; pixel++) {
                    result[out * pixels + pixel] += weights[out * channels + in] * input[in * pixels + pixel];
                }
            }
        }
        return result;
    }

    static long[] statesShape() {
        return new long[] {2, TOKENS, 2};
    }

    byte[] onnx() {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny")
            .addInput(value("sample", TensorProto.DataType.FLOAT_VALUE, "batch", CHANNELS + extraChannels, "height",
                "width"))
            .addInput(value("timestep", TensorProto.DataType.FLOAT_VALUE))
            .addInput(value("encoder_hidden_states", TensorProto.DataType.FLOAT_VALUE, "batch", "tokens", 2))
            .addOutput(value("out_sample", TensorProto.DataType.FLOAT_VALUE, "batch", CHANNELS, "height", "width"))
            .addInitializer(constant("conv_in.weight", convIn, CHANNELS, CHANNELS + extraChannels, 1, 1))
            .addInitializer(constant("conv_out.weight", convOut, CHANNELS, CHANNELS, 1, 1))
            .addInitializer(constant("factor", new float[] {FACTOR}))
            .addInitializer(constant("time1", new float[] {TIME_FIRST}))
            .addInitializer(constant("time2", new float[] {TIME_SECOND}))
            .addInitializer(constant("label", new float[] {LABEL}))
            .addInitializer(TensorProto.newBuilder().setName("last").addDims(1)
                .setDataType(TensorProto.DataType.INT64_VALUE).addInt64Data(3))
            .addInitializer(TensorProto.newBuilder().setName("behind").addDims(3)
                .setDataType(TensorProto.DataType.INT64_VALUE).addInt64Data(1).addInt64Data(2).addInt64Data(3));
        List<NodeProto.Builder> nodes = new ArrayList<>();
        nodes.add(node("/ReduceMean", "mean", "encoder_hidden_states").addAttribute(axes(1, 2)));
        nodes.add(node("/Unsqueeze", "states_bias", "mean", "last"));
        String bias = "states_bias";
        if (labels) {
            graph.addInput(value("class_labels", TensorProto.DataType.INT64_VALUE, "batch"));
            nodes.add(node("/class_embedding/Cast", "labels", "class_labels").addAttribute(AttributeProto.newBuilder()
                .setName("to").setType(AttributeProto.AttributeType.INT).setI(1)));
            nodes.add(node("/class_embedding/Mul", "scaled_labels", "labels", "label"));
            nodes.add(node("/class_embedding/Unsqueeze", "labels_bias", "scaled_labels", "behind"));
            nodes.add(node("/class_embedding/Add", "bias", "labels_bias", bias));
            bias = "bias";
        }
        nodes.add(node("/time_embedding/Mul", "early", "timestep", "time1"));
        nodes.add(node("/time_embedding/late/Mul", "late", "timestep", "time2"));
        nodes.add(node("/conv_in/Conv", "skip", "sample", "conv_in.weight"));
        nodes.add(node("/down_blocks.0/Add", "with_time", "skip", "early"));
        nodes.add(node("/down_blocks.0/act/Add", "with_bias", "with_time", bias));
        nodes.add(node("/down_blocks.0/Tanh", "down", "with_bias"));
        String chain = factors(FIRST, "down", nodes);
        chain = factors(SECOND, chain, nodes);
        nodes.add(node("/conv_norm_out/Add", "sum", chain, "skip"));
        nodes.add(node("/conv_norm_out/time/Add", "sum_with_time", "sum", "late"));
        nodes.add(node("/conv_norm_out/bias/Add", "sum_with_bias", "sum_with_time", bias));
        nodes.add(node("/conv_norm_out/Tanh", "hidden", "sum_with_bias"));
        nodes.add(node("/conv_out/Conv", "out_sample", "hidden", "conv_out.weight"));
        nodes.forEach(graph::addNode);
        return ModelProto.newBuilder().setIrVersion(8).addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph).build().toByteArray();
    }

    private static String factors(List<String> modules, String from, List<NodeProto.Builder> nodes) {
        String chain = from;
        for (String module : modules) {
            String name = "/" + module.replaceAll("\\.(?=[a-z])", "/") + "/Mul";
            nodes.add(node(name, name + "_output", chain, "factor"));
            chain = name + "_output";
        }
        return chain;
    }

    private static NodeProto.Builder node(String name, String output, String... inputs) {
        return NodeProto.newBuilder().setName(name).setOpType(name.substring(name.lastIndexOf('/') + 1))
            .addAllInput(List.of(inputs)).addOutput(output);
    }

    private static AttributeProto axes(long... axes) {
        AttributeProto.Builder attribute =
            AttributeProto.newBuilder().setName("axes").setType(AttributeProto.AttributeType.INTS);
        for (long axis : axes) {
            attribute.addInts(axis);
        }
        return attribute.build();
    }

    private static TensorProto constant(String name, float[] values, long... dims) {
        TensorProto.Builder tensor =
            TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        for (long dim : dims) {
            tensor.addDims(dim);
        }
        for (float value : values) {
            tensor.addFloatData(value);
        }
        return tensor.build();
    }

    private static ValueInfoProto value(String name, int type, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            if (dim instanceof String open) {
                shape.addDimBuilder().setDimParam(open);
            } else {
                shape.addDimBuilder().setDimValue((Integer) dim);
            }
        }
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(
            TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape))).build();
    }
}
