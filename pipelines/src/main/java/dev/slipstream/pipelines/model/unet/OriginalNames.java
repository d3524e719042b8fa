package dev.slipstream.pipelines.model.unet;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the modules of a U-Net are called in the layout of the original implementation (CompVis, Stability AI), in which
 * blocks are numbered through: {@code down_blocks.1.attentions.0} of SDXL is {@code input_blocks.4.1}.
 */
public final class OriginalNames {
    private static final Pattern DOWN = Pattern.compile("down_blocks\\.(\\d+)\\.(resnets|attentions)\\.(\\d+)(\\..+)");
    private static final Pattern UP = Pattern.compile("up_blocks\\.(\\d+)\\.(resnets|attentions)\\.(\\d+)(\\..+)");
    private static final Pattern MID = Pattern.compile("mid_block\\.(resnets|attentions)\\.(\\d+)(\\..+)");
    private static final Pattern DOWNSAMPLER = Pattern.compile("down_blocks\\.(\\d+)\\.downsamplers\\.0\\.conv");
    private static final Pattern UPSAMPLER = Pattern.compile("up_blocks\\.(\\d+)\\.upsamplers\\.0\\.conv");

    private static final Map<String, String> SINGLE = Map.of("time_embedding.linear_1", "time_embed.0",
        "time_embedding.linear_2", "time_embed.2", "add_embedding.linear_1", "label_emb.0.0",
        "add_embedding.linear_2", "label_emb.0.2", "conv_in", "input_blocks.0.0", "conv_norm_out", "out.0", "conv_out",
        "out.2");

    private static final Map<String, String> IN_RESNET = Map.of(".norm1", ".in_layers.0", ".conv1", ".in_layers.2",
        ".time_emb_proj", ".emb_layers.1", ".norm2", ".out_layers.0", ".conv2", ".out_layers.3", ".conv_shortcut",
        ".skip_connection");

    private final Set<String> modules;
    private final int layers;

    /** @param modules all that have weights */
    public OriginalNames(Set<String> modules) {
        this.modules = modules;
        int count = 0;
        while (modules.contains("down_blocks.0.resnets." + count + ".conv1")) {
            count++;
        }
        this.layers = count;
    }

    /** Empty for a module that has no weight to be changed there. */
    public Optional<String> of(String module) {
        if (SINGLE.containsKey(module)) {
            return Optional.of(SINGLE.get(module));
        }
        Matcher name = DOWN.matcher(module);
        if (name.matches()) {
            int block = 1 + number(name, 1) * (layers + 1) + number(name, 3);
            return Optional.of("input_blocks." + block + inBlock(name.group(2), name.group(4)));
        }
        name = UP.matcher(module);
        if (name.matches()) {
            int block = number(name, 1) * (layers + 1) + number(name, 3);
            return Optional.of("output_blocks." + block + inBlock(name.group(2), name.group(4)));
        }
        name = MID.matcher(module);
        if (name.matches()) {
            boolean resnet = name.group(1).equals("resnets");
            return Optional.of("middle_block." + (resnet ? 2 * number(name, 2) : 1)
                + layer(name.group(1), name.group(3)));
        }
        return sampler(module);
    }

    private Optional<String> sampler(String module) {
        Matcher name = DOWNSAMPLER.matcher(module);
        if (name.matches()) {
            return Optional.of("input_blocks." + (number(name, 1) + 1) * (layers + 1) + ".0.op");
        }
        name = UPSAMPLER.matcher(module);
        if (name.matches()) {
            int block = number(name, 1);
            boolean attends = modules.contains("up_blocks." + block + ".attentions.0.proj_in");
            return Optional.of("output_blocks." + (block * (layers + 1) + layers) + (attends ? ".2" : ".1") + ".conv");
        }
        return Optional.empty();
    }

    private static String inBlock(String kind, String rest) {
        return (kind.equals("resnets") ? ".0" : ".1") + layer(kind, rest);
    }

    private static String layer(String kind, String rest) {
        return kind.equals("resnets") ? IN_RESNET.getOrDefault(rest, rest) : rest;
    }

    private static int number(Matcher name, int group) {
        return Integer.parseInt(name.group(group));
    }
}
