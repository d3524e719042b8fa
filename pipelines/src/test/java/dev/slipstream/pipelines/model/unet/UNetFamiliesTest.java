package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.cut.CutFinder;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.Division;
import dev.slipstream.pipelines.graph.cut.PartDevice;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Small models of each family, with its own blocks, run and are cut by published tables and as the search finds. */
class UNetFamiliesTest {
    private final OnnxRunner runner = new OnnxRunner();

    @TempDir
    private Path folder;

    private enum Family {
        SD15(Family.TYPES + "'attention_head_dim': 2"),
        INPAINTING(Family.TYPES + "'in_channels': 9, 'out_channels': 4, 'attention_head_dim': 2"),
        SD21(Family.TYPES + "'attention_head_dim': [1, 2, 4, 4], 'use_linear_projection': true"),
        SDXL("'block_out_channels': [8, 16, 16], 'attention_head_dim': [1, 2, 4], 'use_linear_projection': true, "
            + "'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'], "
            + "'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], "
            + "'transformer_layers_per_block': [1, 2, 3], 'addition_embed_type': 'text_time', "
            + "'addition_time_embed_dim': 4, 'projection_class_embeddings_input_dim': 30"),
        UPSCALER("'in_channels': 7, 'out_channels': 4, 'attention_head_dim': 2, 'use_linear_projection': true, "
            + "'only_cross_attention': [true, true, true, false], 'num_class_embeds': 20, 'down_block_types': "
            + "['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'], "
            + "'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D']");

        private static final String TYPES = "'down_block_types': "
            + "['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'], "
            + "'up_block_types': ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'], ";

        private final String options;

        Family(String options) {
            this.options = options;
        }

        ConfigFile config(Path folder) {
            String common = "{'_class_name': 'UNet2DConditionModel', 'norm_num_groups': 4, 'cross_attention_dim': 12, "
                + "'sample_size': 16, ";
            String widths = options.contains("block_out") ? "" : "'block_out_channels': [8, 16, 16, 16], ";
            JsonObject root = JsonParser.parseString((common + widths + options + "}").replace('\'', '"'))
                .getAsJsonObject();
            return new ConfigFile(folder.resolve("config.json"), root);
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void partsOfCutsEqualTheWholeBitForBit(Family family) throws OrtException {
        check(family, 16, 16);
    }

    /** In diffusers the way up has the sizes of the way down: 13, 7, 4, 2 and back. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void sidesThatCannotBeHalvedComeBackAsTheyWere(Family family) throws OrtException {
        check(family, 13, 10);
    }

    private void check(Family family, int height, int width) throws OrtException {
        ConfigFile config = family.config(folder);
        Graph open = UNet.write(config, FormulaCheckpoint.write(config, folder)).graph();
        Map<String, OnnxTensor> inputs = inputs(open, height, width);
        Map<String, Shape> shapes = new HashMap<>();
        inputs.forEach((name, tensor) -> shapes.put(name, Shape.of(tensor.getInfo().getShape())));
        Graph fixed = StaticShapes.fix(open, InputTypes.of(open, Map.of(), shapes));

        OnnxTensor whole = runner.run(open, inputs).get("out_sample");

        assertEquals(Shape.of(2, 4, height, width), Shape.of(whole.getInfo().getShape()));
        assertArrayEquals(OnnxRunner.floats(whole), OnnxRunner.floats(runner.run(fixed, inputs).get("out_sample")));
        for (int components = 2; components <= 4; components++) {
            Partition partition = Splitter.split(fixed, Cuts.reference(config.root(), components).orElseThrow(),
                Set.of("sample"));
            assertArrayEquals(OnnxRunner.floats(whole),
                OnnxRunner.floats(runner.run(partition, inputs).get("out_sample")), components + " components");
            Division found = CutFinder.of(fixed, Set.of("sample"), Costs.of(fixed), List.of())
                .best(PartDevice.equal(components), CutFinder.Form.SHELLS, CutFinder.TOLERANCE).cut();
            assertArrayEquals(OnnxRunner.floats(whole), OnnxRunner.floats(runner.run(Splitter.splitCrossing(fixed,
                List.of(found), Set.of("sample")), inputs).get("out_sample")), found.name());
        }
    }

    private Map<String, OnnxTensor> inputs(Graph graph, int height, int width) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        for (ValueInfoProto input : graph.inputs()) {
            String name = input.getName();
            switch (name) {
                case "timestep" -> inputs.put(name, runner.tensor(new long[] {321}));
                case "class_labels" -> inputs.put(name, runner.tensor(new long[] {11, 19}, 2));
                case "sample" -> put(inputs, name, 2,
                    input.getType().getTensorType().getShape().getDim(1).getDimValue(), height, width);
                case "encoder_hidden_states" -> put(inputs, name, 2, 7, 12);
                case "time_ids" -> put(inputs, name, 2, 6);
                case "text_embeds" -> put(inputs, name, 2, 6);
                default -> throw new AssertionError("an input " + name);
            }
        }
        return inputs;
    }

    private void put(Map<String, OnnxTensor> inputs, String name, long... dims) throws OrtException {
        inputs.put(name, runner.tensor(FormulaCheckpoint.input(name, Shape.of(dims)), dims));
    }
}
