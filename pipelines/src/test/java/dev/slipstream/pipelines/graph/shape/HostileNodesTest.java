package dev.slipstream.pipelines.graph.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No node ends the process: what ONNX Runtime does not check, shape inference refuses. */
class HostileNodesTest {
    @TempDir
    private Path folder;

    /** More with {@code -Dfuzz=COUNT}. */
    @Test
    void whateverANodeSaysTheProcessLives() throws IOException, InterruptedException {
        String count = Integer.toString(Integer.getInteger("fuzz", 400));
        Path log = folder.resolve("log");
        int code = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-Xmx1g", "-XX:ErrorFile=" + folder.resolve("crash"), "-cp",
            System.getProperty("java.class.path"), HostileNodes.class.getName(), "0", count)
            .redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
        List<String> lines = Files.readAllLines(log);
        assertEquals(0, code, () -> String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size())));
        assertTrue(lines.getLast().matches("refused [1-9].*, not built [1-9].*, ran [1-9].*"), lines.getLast());
    }

    static Stream<OperatorCase> fatal() {
        return Stream.of(
            OperatorCase.of("Split").opset(18).outputs(3).attribute("num_outputs", 2).floats(7),
            OperatorCase.of("GatherND").attribute("batch_dims", -(1L << 32)).floats(2, 4, 5)
                .weight(Value.integers(ElementType.INT64, new long[] {2, 1}, 0, 1)),
            OperatorCase.of("GatherND").attribute("batch_dims", Long.MIN_VALUE).floats(2, 4, 5)
                .weight(Value.integers(ElementType.INT64, new long[] {2, 1}, 0, 1)),
            OperatorCase.of("TopK").outputs(2).floats(0, 9).weight(4));
    }

    /** These ended it, by an assertion in ONNX Runtime or by a signal. */
    @ParameterizedTest
    @MethodSource("fatal")
    void nodesThatEndedItAreRefused(OperatorCase node) {
        assertThrows(GraphException.class, node::infer);
    }
}
