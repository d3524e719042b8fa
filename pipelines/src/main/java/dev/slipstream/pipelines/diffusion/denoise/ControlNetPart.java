package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.Renaming;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.unet.ControlNet;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A ControlNet of a pipeline: how it is told what it is to do.
 *
 * @param module what it is called in the network
 * @param folder where it was read
 * @param picture the network's input for its picture, {@code [rows, 3, height, width]} in pixels, from 0 to 1; or its
 *     latents
 * @param scales the network's input for how much of each residual is added, {@code [rows, residuals]}
 * @param residuals how many it makes, the deepest last
 * @param pixelsPerLatent along each side, where its configuration says it
 * @param global whether it adds means over the whole picture alone, which only predictions with the prompt get
 * @param reading what it reads of its picture
 */
public record ControlNetPart(String module, Path folder, String picture, String scales, int residuals,
    OptionalInt pixelsPerLatent, boolean global, Reading reading) {

    /** What a ControlNet reads of its picture. */
    public enum Reading {
        PIXELS,
        /** Of Stable Diffusion 3: latents as the denoiser has them. */
        LATENTS,
        /** The same without the shift of latents, as those that see no pooled text were taught. */
        UNSHIFTED_LATENTS
    }

    /** A ControlNet's input for how much all of it counts. */
    static final String SCALE = "conditioning_scale";
    private static final String SCALES = "residual_scales";
    private static final String PICTURE = ControlNet.CONDITION;
    private static final long COLOURS = 3;
    private static final String OF_BLOCKS = "controlnet_block_sample";
    private static final String POOLED = "pooled_projections";

    /** @param several whether there are more than this one, so that inputs are called after modules */
    static ControlNetPart of(String module, Path folder, Graph graph, boolean several) {
        String prefix = several ? module + "." : "";
        Optional<ConfigFile> config = Optional.of(folder.resolve("config.json")).filter(InputFile::isThere)
            .map(ConfigFile::read);
        return new ControlNetPart(module, folder, prefix + PICTURE, prefix + SCALES,
            graph.outputs().size(), config.filter(it -> !readsLatents(graph))
                .map(it -> OptionalInt.of(ControlNet.pixelsPerLatent(it))).orElseGet(OptionalInt::empty),
            config.map(ControlNet::isGlobal).orElse(false), !readsLatents(graph) ? Reading.PIXELS
                : seesPooledText(folder) ? Reading.LATENTS : Reading.UNSHIFTED_LATENTS);
    }

    /** Those of Stable Diffusion 3 have residuals of blocks, all others of levels. */
    private static boolean readsLatents(Graph graph) {
        return graph.outputs().stream().anyMatch(output -> output.getName().startsWith(OF_BLOCKS));
    }

    /** As diffusers' pipeline decides it. */
    private static boolean seesPooledText(Path folder) {
        return !ConfigFile.read(folder.resolve("config.json")).flag("force_zeros_for_pooled_projection", true);
    }

    /** Reads the graph of one. @throws ModelException if there is none, or it is damaged */
    static Graph read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ModelException(Files.exists(folder) ? folder + " is a file; give the folder of a ControlNet, "
                + "with config.json and safetensors in it" : "there is no folder " + folder + " with a ControlNet");
        }
        return ComponentFormat.of(folder) == ComponentFormat.ONNX && InputFile.isThere(folder.resolve("model.onnx"))
            ? GraphFile.read(folder.resolve("model.onnx")) : written(folder);
    }

    static Graph written(Path folder) {
        ConfigFile config = ConfigFile.read(folder.resolve("config.json"));
        return ComponentKinds.of(config).write(config, Checkpoint.open(folder), GraphOptions.NONE).graph();
    }

    /**
     * Its graph as pipelines call it, for a denoiser.
     *
     * @param folder where it was read
     * @throws GraphException if it reads what the denoiser is not told, or another kind of picture or latents
     */
    static Graph fitted(Graph graph, DenoiserGraph denoiser, Path folder) {
        check(graph, denoiser);
        boolean withoutText = graph.isInput(POOLED) && !seesPooledText(folder);
        return FractionalTimesteps.allow(Rewrite.fitted(graph, denoiser, withoutText), denoiser.ports().timestep());
    }

    private static void check(Graph graph, DenoiserGraph denoiser) {
        ValueInfoProto picture = graph.inputs().stream().filter(input -> input.getName().equals(PICTURE)).findFirst()
            .orElseThrow(() -> new GraphException("it has no input '" + PICTURE + "', so it is no ControlNet"));
        List<Dimension> dims = picture.getType().getTensorType().getShape().getDimList();
        long wanted = readsLatents(graph) ? denoiser.fixedSize(denoiser.ports().sample(), 1).orElse(0) : COLOURS;
        if (dims.size() == 4 && dims.get(1).hasDimValue() && dims.get(1).getDimValue() != wanted) {
            throw new GraphException("its picture has " + dims.get(1).getDimValue() + " channels, not "
                + (wanted == COLOURS ? "red, green and blue" : "the " + wanted + " of latents") + "; ControlNets that "
                + "read others, such as masks, are not supported in requests");
        }
        graph.inputs().stream().map(ValueInfoProto::getName).filter(input -> !input.equals(PICTURE)
            && !input.equals(SCALE) && !denoiser.graph().isInput(input)).findFirst().ifPresent(input -> {
                throw new GraphException("it reads '" + input + "', which this denoiser is not told");
            });
    }

    /** What people call it: the name of its folder. */
    public String name() {
        return folder.toAbsolutePath().normalize().getFileName().toString();
    }

    /**
     * Changes a ControlNet's graph so that a pipeline can say how much of each residual is added to each row: its one
     * scale is 1, and each residual is multiplied by a number of {@code residual_scales} [rows, residuals].
     */
    private static final class Rewrite {
        private static final String MODULE = "/" + SCALES + "/";
        private static final int USUAL_RANK = 4;

        private final Graph graph;
        private final String sample;
        private final List<ValueInfoProto> inputs = new ArrayList<>();
        private final List<NodeProto> before = new ArrayList<>();
        private final List<NodeProto> after = new ArrayList<>();
        private final Map<String, TensorProto> weights;
        private final Renaming renamed = new Renaming();

        private Rewrite(Graph graph, String sample) {
            this.graph = graph;
            this.sample = sample;
            this.weights = new LinkedHashMap<>(graph.weights());
        }

        /** The graph for a denoiser. @throws GraphException if it does not take the denoiser's latents */
        static Graph fitted(Graph control, DenoiserGraph denoiser, boolean withoutText) {
            Rewrite changed = new Rewrite(control, denoiser.ports().sample());
            changed.takeInputs(denoiser.fixedSize(changed.sample, 1).orElse(0));
            if (withoutText) {
                changed.forgetText();
            }
            for (int i = 0; i < control.outputs().size(); i++) {
                changed.scale(control.outputs().get(i), i);
            }
            List<NodeProto> nodes = new ArrayList<>(changed.before);
            control.nodes().forEach(node -> nodes.add(changed.renamed.apply(node)));
            nodes.addAll(changed.after);
            return control.with(changed.inputs, control.outputs(), nodes, changed.weights);
        }

        /** @param channels that the denoiser takes, of which the latents are the first; 0 if that is open */
        private void takeInputs(long channels) {
            for (ValueInfoProto input : graph.inputs()) {
                List<Dimension> dims = input.getType().getTensorType().getShape().getDimList();
                if (input.getName().equals(SCALE)) {
                    weights.put(SCALE, TensorProto.newBuilder().setName(SCALE)
                        .addAllDims(input.getType().getTensorType().hasShape() ? Collections.nCopies(dims.size(), 1L)
                            : List.of(1L)).setDataType(input.getType().getTensorType().getElemType()).addFloatData(1)
                        .build());
                } else if (input.getName().equals(sample) && dims.size() > 1 && dims.get(1).hasDimValue()
                    && dims.get(1).getDimValue() < channels) {
                    long own = dims.get(1).getDimValue();
                    List<Dimension> wider = new ArrayList<>(dims);
                    wider.set(1, LoopAdapter.number(channels));
                    inputs.add(LoopAdapter.shaped(input, wider.toArray(Dimension[]::new)));
                    add(before, "Slice", sample + ".latents", Attributes.NONE, sample, integers("begin", 0L),
                        integers("end", own), integers("axis", 1L));
                    renamed.put(sample, sample + ".latents");
                } else {
                    inputs.add(input);
                }
            }
            ValueInfoProto rows = graph.inputs().stream().filter(input -> input.getName().equals(sample)).findFirst()
                .orElseThrow(() -> new GraphException("it has no input '" + sample + "' for the latents"));
            ValueInfoProto.Builder scales = ValueInfoProto.newBuilder().setName(SCALES);
            scales.getTypeBuilder().getTensorTypeBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE);
            inputs.add(LoopAdapter.shaped(scales.build(), rows.getType().getTensorType().getShape().getDim(0),
                LoopAdapter.number(graph.outputs().size())));
        }

        /** The pooled text is the denoiser's; it becomes zeros. */
        private void forgetText() {
            String zero = SCALES + ".zero";
            weights.put(zero, TensorProto.newBuilder().setName(zero).setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData(0).build());
            renamed.put(POOLED, add(before, "Mul", POOLED + ".zeros", Attributes.NONE, POOLED, zero));
        }

        private void scale(ValueInfoProto residual, int index) {
            String name = residual.getName();
            int rank = residual.getType().getTensorType().hasShape()
                ? residual.getType().getTensorType().getShape().getDimCount() : USUAL_RANK;
            Long[] rows = new Long[rank];
            rows[0] = -1L;
            for (int axis = 1; axis < rank; axis++) {
                rows[axis] = 1L;
            }
            renamed.put(name, name + ".whole");
            String own = add(after, "Gather", SCALES + "." + index, Attributes.NONE.integer("axis", 1), SCALES,
                scalar("index_" + index, index));
            String spread = add(after, "Reshape", SCALES + ".spread_" + index, Attributes.NONE, own,
                integers("rows", rows));
            add(after, "Mul", name, Attributes.NONE, name + ".whole", spread);
        }

        private static String add(List<NodeProto> place, String operator, String makes, Attributes attributes,
            String... reads) {
            place.add(NodeProto.newBuilder().setName(MODULE + makes).setOpType(operator).addAllInput(List.of(reads))
                .addOutput(makes).addAllAttribute(attributes.protos()).build());
            return makes;
        }

        private String integers(String name, Long... values) {
            String weight = SCALES + "." + name;
            weights.put(weight, ConstantProtos.integers(weight, List.of(values)));
            return weight;
        }

        private String scalar(String name, long value) {
            String weight = SCALES + "." + name;
            weights.put(weight, TensorProto.newBuilder().setName(weight).setDataType(TensorProto.DataType.INT64_VALUE)
                .addInt64Data(value).build());
            return weight;
        }
    }
}
