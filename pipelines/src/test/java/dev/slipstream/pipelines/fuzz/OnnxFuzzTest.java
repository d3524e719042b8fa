package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.cut.BalancedCut;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.fusion.SeparateSums;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.shape.DynamicAttention;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.shape.TensorTypes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged ONNX files through all that is done with a graph before an engine is built from it. */
class OnnxFuzzTest {
    private static final Map<String, Long> SIZES = Map.of("batch", 2L, "batch_size", 2L, "num_channels", 4L,
        "height", 16L, "width", 16L, "sequence_length", 7L);

    @TempDir
    private Path folder;

    @Test
    void damagedFilesAreReadOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        // The file itself, and a message's objects, which are larger than its few bytes in the file.
        fuzz(reporter, new Fuzz("reading ONNX", 64 << 10, 64), GraphFile::read);
    }

    @Test
    void whatWasReadFromDamagedFilesIsFixedAndCutOrRefused(TestReporter reporter)
        throws IOException, InterruptedException {
        // Shapes that are folded have up to 8192 elements each, whatever the size of the file.
        fuzz(reporter, new Fuzz("using ONNX", 32 << 20, 200), file -> use(GraphFile.read(file)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"node", "initializer", "input", "output", "value_info"})
    void messagesWithNothingInThemTakeNoMoreThanTheirObjects(String field) throws InterruptedException {
        ModelProto model = GraphProtos.write(DynamicAttention.graph());
        GraphProto.Builder graph = model.getGraph().toBuilder();
        FieldDescriptor many = GraphProto.getDescriptor().findFieldByName(field);
        for (int i = 0; i < 20_000; i++) {
            graph.addRepeatedField(many, graph.newBuilderForField(many).build());
        }
        byte[] bytes = model.toBuilder().setGraph(graph).build().toByteArray();
        Path file = folder.resolve("empty.onnx");
        new Fuzz("empty messages", 256 << 10, 128).run(5, random -> bytes, read -> {
            Files.write(file, read);
            GraphFile.read(file);
        });
    }

    @Test
    void weightsInsideAFileAreHeldOnce() throws InterruptedException {
        byte[] bytes = new GraphSketch().input("x", 1 << 20).output("y", 1 << 20)
            .weight(TensorProto.newBuilder().setName("w").setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(1 << 20).setRawData(ByteString.copyFrom(new byte[4 << 20])).build())
            .node("Add", "/add/Add", List.of("x", "w"), "y").model().toByteArray();
        Path file = folder.resolve("large.onnx");
        new Fuzz("weights inside", 64 << 10, 1).run(5, random -> bytes, read -> {
            Files.write(file, read);
            GraphFile.read(file);
        });
    }

    private void fuzz(TestReporter reporter, Fuzz fuzz, Consumer<Path> use) throws IOException, InterruptedException {
        List<byte[]> seeds = OnnxSeeds.all();
        try (RandomAccessFile weights = new RandomAccessFile(folder.resolve(OnnxSeeds.WEIGHTS).toFile(), "rw")) {
            weights.setLength(OnnxSeeds.WEIGHT_BYTES);
        }
        Path file = folder.resolve("damaged.onnx");

        Fuzz.Outcome outcome = fuzz.run(Fuzz.tries(1000), random -> damaged(seeds, random), bytes -> {
            Files.write(file, bytes);
            use.accept(file);
        });
        reporter.publishEntry(fuzz.name(), outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    private static byte[] damaged(List<byte[]> seeds, Random random) {
        // The last ones are whole models, which take a hundred times as long.
        boolean whole = random.nextInt(200) == 0;
        byte[] file = seeds.get(whole ? random.nextInt(seeds.size()) : random.nextInt(OnnxSeeds.SMALL));
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            file = random.nextInt(8) == 0 ? ByteDamage.damage(file, seeds.getFirst(), random)
                : MessageDamage.damage(file, random);
        }
        return file;
    }

    private static void use(Graph graph) {
        if (graph.nodes().isEmpty() || graph.inputs().isEmpty()) {
            return;
        }
        Set<String> laggable = Set.of(graph.inputs().getFirst().getName());
        List<String> middle = Nodes.writes(graph.nodes().get(graph.nodes().size() / 2));
        refusedOrNot(() -> Splitter.split(graph, List.of(middle), laggable));
        Map<String, TensorType> types = InputTypes.of(graph, SIZES);
        refusedOrNot(() -> TensorTypes.infer(graph, types));
        Graph fixed = StaticShapes.fix(graph, types);
        SeparateSums.keep(AttentionFusion.fuse(fixed));
        refusedOrNot(() -> Splitter.split(fixed, BalancedCut.of(fixed, 2, laggable, Costs.of(fixed)), laggable)
            .segments().forEach(segment -> GraphFile.serialize(segment.graph())));
    }

    /** The next use of the graph is tried even if this one refuses it. */
    private static void refusedOrNot(Runnable use) {
        try {
            use.run();
        } catch (GraphException refused) {
            assertTrue(refused.getMessage() != null, "it must say what is wrong");
        }
    }
}
