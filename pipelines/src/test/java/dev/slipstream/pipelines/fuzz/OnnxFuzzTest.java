package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.BalancedCut;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.Splitter;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.ShapeInference;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Damaged ONNX files through all that is done with a graph before an engine is built from it. */
class OnnxFuzzTest {
    private static final Map<String, Long> SIZES = Map.of("batch", 2L, "batch_size", 2L, "num_channels", 4L,
        "height", 16L, "width", 16L, "sequence_length", 7L);

    @TempDir
    private Path folder;

    @Test
    void damagedFilesAreReadOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        List<byte[]> seeds = OnnxSeeds.all();
        try (RandomAccessFile weights = new RandomAccessFile(folder.resolve(OnnxSeeds.WEIGHTS).toFile(), "rw")) {
            weights.setLength(OnnxSeeds.WEIGHT_BYTES);
        }
        Path file = folder.resolve("damaged.onnx");

        Fuzz.Outcome outcome = new Fuzz("ONNX", 32 << 20, 200).run(Fuzz.tries(1000),
            random -> damaged(seeds, random), bytes -> {
                Files.write(file, bytes);
                use(GraphFile.read(file));
            });
        reporter.publishEntry("fuzz ONNX", outcome.toString());
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
        refusedOrNot(() -> ShapeInference.infer(graph, types));
        Graph fixed = StaticShapes.fix(graph, types);
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
