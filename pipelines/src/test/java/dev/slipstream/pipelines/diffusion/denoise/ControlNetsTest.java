package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlNetsTest {
    private static Graph control(String down, String mid) {
        return new GraphSketch().input("sample", -1, 2).input("controlnet_cond", -1, 2)
            .node("Add", "/c/Add", List.of("sample", "controlnet_cond"), down).node("Neg", "/c/Neg", List.of(down), mid)
            .output(down, -1, 2).output(mid, -1, 2).build();
    }

    private static Graph unet(String down) {
        return new GraphSketch().input("sample", -1, 2).input(down, -1, 2).input("mid_block_additional_residual", -1, 2)
            .node("Add", "/u/Add", List.of("sample", down), "a")
            .node("Add", "/u/Add_1", List.of("a", "mid_block_additional_residual"), "eps").output("eps", -1, 2).build();
    }

    private static List<String> inputs(Graph graph) {
        return graph.inputs().stream().map(ValueInfoProto::getName).toList();
    }

    /** Exporters number residuals with an underscore and in the singular, checkpoints with a dot and in the plural. */
    @Test
    void residualsAreTiedHoweverTheyAreNumbered() {
        for (String down : List.of("down_block_res_samples.0", "down_block_res_sample_0")) {
            for (String taken : List.of("down_block_additional_residuals.0", "down_block_additional_residual_0")) {
                assertEquals(List.of("sample", "controlnet_cond"), inputs(ControlNets.join(unet(taken),
                    Map.of("controlnet", control(down, "mid_block_res_sample")))));
            }
        }
    }

    @Test
    void eachOfSeveralHasItsOwnPicture() {
        Map<String, Graph> two = new LinkedHashMap<>();
        two.put("controlnet", control("down_block_res_sample_0", "mid_block_res_sample"));
        two.put("controlnet_1", control("down_block_res_sample_0", "mid_block_res_sample"));

        assertEquals(List.of("sample", "controlnet.controlnet_cond", "controlnet_1.controlnet_cond"),
            inputs(ControlNets.join(unet("down_block_additional_residual_0"), two)));
    }

    @Test
    void writtenDenoisersAreAskedForTheResidualsThatAreMade() {
        assertEquals(List.of("down_block_additional_residuals.0", "mid_block_additional_residual"),
            ControlNets.residuals(List.of(control("down_block_res_sample_0", "mid_block_res_sample"))));
        assertEquals(List.of("block_controlnet_hidden_states.3", "block_controlnet_hidden_states.4"),
            ControlNets.residuals(List.of(control("controlnet_block_samples.3", "controlnet_block_samples.4"))));
    }

    @Test
    void aControlNetOfAnotherModelIsRefused() {
        assertEquals("the denoiser takes down_block_additional_residual_1, which none of [controlnet] makes",
            assertThrows(GraphException.class, () -> ControlNets.join(unet("down_block_additional_residual_1"),
                Map.of("controlnet", control("down_block_res_sample_0", "mid_block_res_sample")))).getMessage());
        assertEquals("the denoiser takes nothing of [[/controlnet/other]]; that is not a ControlNet for it",
            assertThrows(GraphException.class, () -> ControlNets.join(new GraphSketch().input("sample", -1, 2)
                .input("mid_block_additional_residual", -1, 2)
                .node("Add", "/u/Add", List.of("sample", "mid_block_additional_residual"), "eps")
                .output("eps", -1, 2).build(), Map.of("controlnet", control("other", "mid_block_res_sample"))))
                .getMessage());
    }
}
