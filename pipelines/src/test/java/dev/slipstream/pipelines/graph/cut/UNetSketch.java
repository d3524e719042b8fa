package dev.slipstream.pipelines.graph.cut;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The modules of a UNet2DConditionModel in their order, one node each, with skips. It cannot run. */
final class UNetSketch {
    private final GraphSketch sketch = new GraphSketch().input("sample", 1, 4).input("timestep", 1)
        .node("Sin", "/time_proj/Sin", List.of("timestep"), "temb");
    private final Deque<String> skips = new ArrayDeque<>();
    private String last = "sample";

    /** @param attentions whether the down blocks have attentions; the up blocks mirror them */
    static Graph of(boolean... attentions) {
        UNetSketch unet = new UNetSketch();
        unet.module("conv_in", true);
        for (int block = 0; block < attentions.length; block++) {
            for (int layer = 0; layer < 2; layer++) {
                unet.layer("down_blocks." + block, layer, attentions[block], true);
            }
            if (block < attentions.length - 1) {
                unet.module("down_blocks." + block + "/downsamplers.0/conv", true);
            }
        }
        unet.layer("mid_block", 0, true, false);
        unet.module("mid_block/resnets.1", false);
        for (int block = 0; block < attentions.length; block++) {
            for (int layer = 0; layer < 3; layer++) {
                String pair = "/up_blocks." + block + "/Concat_" + layer;
                unet.sketch.node("Concat", pair, List.of(unet.last, unet.skips.pop()), pair);
                unet.last = pair;
                unet.layer("up_blocks." + block, layer, attentions[attentions.length - 1 - block], false);
            }
            if (block < attentions.length - 1) {
                unet.module("up_blocks." + block + "/upsamplers.0/conv", false);
            }
        }
        unet.module("conv_norm_out", false);
        unet.sketch.node("Sigmoid", "/conv_act/Sigmoid", List.of(unet.last), "gate")
            .node("Mul", "/conv_act/Mul", List.of(unet.last, "gate"), "act");
        unet.last = "act";
        unet.module("conv_out", false);
        return unet.sketch.output(unet.last, 1, 4).build();
    }

    private void layer(String block, int index, boolean attention, boolean skip) {
        module(block + "/resnets." + index, skip && !attention);
        if (attention) {
            module(block + "/attentions." + index, skip);
        }
    }

    private void module(String path, boolean skip) {
        String output = "/" + path + "/Conv_output_0";
        sketch.node("Conv", "/" + path + "/Conv", List.of(last, "temb"), output);
        last = output;
        if (skip) {
            skips.push(output);
        }
    }
}
