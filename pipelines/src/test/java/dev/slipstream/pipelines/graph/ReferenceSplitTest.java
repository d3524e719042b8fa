package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import ai.onnxruntime.OnnxTensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReferenceSplitTest {
    @Test
    void quick() throws Exception {
        OnnxRunner runner = new OnnxRunner();
        Graph graph = ReferenceModels.graph("sd21");
        Cut cut = new Cut("x", List.of(List.of("conv_in", "down_blocks", "mid_block", "up_blocks.0"),
            List.of("up_blocks", "conv_norm_out", "conv_out")));
        Partition partition = Splitter.split(graph, cut, Set.of("sample"));
        partition.segments().forEach(System.out::println);
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs("sd21", runner);
        float[] whole = OnnxRunner.floats(runner.run(graph, inputs).get("out_sample"));
        float[] parts = OnnxRunner.floats(runner.run(partition, inputs).get("out_sample"));
        assertArrayEquals(whole, parts);
    }
}
