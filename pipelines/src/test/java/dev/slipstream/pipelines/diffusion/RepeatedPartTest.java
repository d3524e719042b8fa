package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loops in which the inner part of a network does again what comes before it, in place of reading it. */
class RepeatedPartTest {
    private static final int LAYERS = 10;

    private final List<Device> devices = Devices.discover().open(Collections.nCopies(4, DeviceSpec.parse("cpu:1")));

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    /** One layer whose output goes in and, past all others, to the last one; ten layers inside and ten behind. */
    private static DenoiserGraph network() {
        GraphSketch sketch = new GraphSketch().input("sample", -1, 4, 2, 3).input("timestep", 1)
            .input("encoder_hidden_states", -1, 1, 2, 3).weight("scale", new float[] {0.001f}, 1)
            .weight("turn", new float[] {0.3f, -0.5f, 0.8f, 0.9f, 0.2f, -0.4f, -0.7f, 0.6f, 0.1f}, 3, 3)
            .node("Mul", "/time/Mul", List.of("timestep", "scale"), "temb")
            .node("MatMul", "/down/MatMul", List.of("sample", "turn"), "d")
            .node("Add", "/down/Add", List.of("d", "temb"), "skip");
        String last = "skip";
        for (int layer = 0; layer < 2 * LAYERS; layer++) {
            String module = (layer < LAYERS ? "/mid." : "/up.") + layer;
            sketch.node("MatMul", module + "/MatMul", List.of(last, "turn"), "m" + layer)
                .node("Mul", module + "/Mul", List.of("m" + layer, "encoder_hidden_states"), "t" + layer)
                .node("Sin", module + "/Sin", List.of("t" + layer), "h" + layer);
            last = "h" + layer;
        }
        List<String> outer = new ArrayList<>(List.of("down", "out"));
        List<String> inner = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            inner.add("mid." + layer);
            outer.add("up." + (LAYERS + layer));
        }
        return new DenoiserGraph("repeated", sketch.node("Add", "/out/Add", List.of(last, "skip"), "sum")
            .node("Cos", "/out/Cos", List.of("sum"), "out_sample").output("out_sample", -1, 4, 2, 3).build(),
            new JsonObject(), List.of(new Cut("shell", List.of(outer, inner))));
    }

    private static PartitionedDenoiser partitioned(String plan, int count) {
        return TinyDenoiser.partitioned(network(), Strategy.parse(plan), count);
    }

    private float[] run(String plan, int count) {
        try (Denoiser denoiser = Denoiser.build(partitioned(plan, count), devices.subList(0, count));
             Execution loop = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            return TinyDenoiser.run(loop, LoopObserver.NONE);
        }
    }

    @Test
    void theInnerPartTakesTheLatentsAndNoTensorOfTheOuterOne() {
        List<String> shell = edges(partitioned("asyncdiff:n=2,cut=shell", 2));
        List<String> lean = edges(partitioned("asyncdiff:n=2,cut=lean", 2));

        assertTrue(shell.remove("c0.0 -> c1"), shell.toString());
        assertEquals(shell, lean);
    }

    private static List<String> edges(PartitionedDenoiser network) {
        return new ArrayList<>(network.plan().edges().stream().map(edge -> network.segment(edge.from()).name() + " -> "
            + network.segment(edge.to()).name()).toList());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"asyncdiff:n=2,warmup=1,cut=%s | 2",
        "asyncdiff:n=2,warmup=2,tail=1,cut=%s | 2", "asyncdiff:n=2,warmup=1,length=2,cut=%s | 2",
        "asyncdiff:n=2,warmup=1,shift,cut=%s | 2", "asyncdiff:n=2,warmup=1,stride=2,cut=%s | 2",
        "asyncdiff:n=2,warmup=1,stride=2,form=paper,cut=%s | 3", "cfg-split+asyncdiff:n=2,warmup=1,cut=%s | 4",
        "asyncdiff:n=2,warmup=1,cut=%s+guidance:every=2,warmup=1 | 2",
        "asyncdiff:n=2,warmup=1,cut=%s+cache:part=all,every=2,warmup=1 | 2",
        "hybridiff:start=1,length=3,cut=%s | 2"})
    void latentsAreThoseOfTheCutThatReadsBitForBit(String plan, int count) {
        float[] read = run(plan.formatted("shell"), count);

        assertArrayEquals(read, run(plan.formatted("lean"), count));
        assertFalse(Arrays.equals(run("sequential", 1), read), "a lagging value must show");
    }

    @Test
    void synchronousStepsAreThoseOfTheWholeBitForBit() {
        assertArrayEquals(run("sequential", 1), run("asyncdiff:n=2,cut=lean,warmup=" + TinyDenoiser.STEPS, 2));
    }

    @Test
    void bothPartsRunAtTheSameTimeInSynchronousStepsToo() {
        List<String> names = partitioned("asyncdiff:n=2,cut=lean", 2).plan().segments().stream()
            .map(segment -> segment.name() + " " + segment.reads()).toList();

        assertEquals(List.of("c0.0 [sample, timestep]", "c1 [sample, timestep, encoder_hidden_states]"),
            names.subList(0, 2));
    }
}
