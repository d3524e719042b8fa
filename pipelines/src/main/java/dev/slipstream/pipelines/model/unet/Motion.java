package dev.slipstream.pipelines.model.unet;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The motion modules of a U-Net.
 *
 * @param down of each level on the way down
 * @param mid of the middle, if there are any
 * @param up of each level on the way up
 * @param longest how many frames the tables of positions have
 */
record Motion(List<Level> down, Optional<Level> mid, List<Level> up, int longest) {
    private static final String DEPTHS = "temporal_transformer_layers_per_block";
    private static final String UP_DEPTHS = "reverse_temporal_transformer_layers_per_block";
    private static final String MID_DEPTHS = "temporal_transformer_layers_per_mid_block";
    private static final String HEADS = "motion_num_attention_heads";
    private static final String UP_HEADS = "reverse_motion_num_attention_heads";
    static final String LONGEST = "motion_max_seq_length";
    static final int USUAL_LONGEST = 32;
    private static final String MID = "use_motion_mid_block";
    private static final int MOST_LAYERS = 100;

    /** The options of a {@code UNetMotionModel} that are about motion. */
    static final String[] OPTIONS = {DEPTHS, UP_DEPTHS, MID_DEPTHS, HEADS, UP_HEADS, LONGEST, MID};

    private static final SupportedOptions OF_ADAPTERS = new SupportedOptions(Set.of("block_out_channels",
        "motion_layers_per_block", "motion_transformer_layers_per_block", "motion_mid_block_layers_per_block",
        "motion_transformer_layers_per_mid_block", HEADS, LONGEST, MID),
        // A motion module has as many groups as the U-Net that it is put into.
        Set.of("motion_norm_num_groups"), Map.of("conv_in_channels", "null"), Set.of());

    Motion {
        down = List.copyOf(down);
        up = List.copyOf(up);
    }

    /** @param depths transformer blocks of the motion module after each layer */
    record Level(int heads, List<Integer> depths) {
        Level {
            depths = List.copyOf(depths);
        }
    }

    /** Reads the {@code config.json} of a {@code UNetMotionModel}. */
    static Motion read(ConfigFile config, UNetBlocks blocks) {
        return read(config, blocks, DEPTHS, MID_DEPTHS);
    }

    /**
     * Reads the {@code config.json} of a {@code MotionAdapter}.
     *
     * @param blocks of the U-Net that it is joined with
     * @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported, or does
     *     not fit the U-Net
     */
    static Motion ofAdapter(ConfigFile config, UNetBlocks blocks) {
        OF_ADAPTERS.check(config);
        List<Integer> widths = config.list("block_out_channels").stream()
            .map(it -> config.positiveInteger("block_out_channels", it)).toList();
        List<Integer> wanted = blocks.down().stream().map(UNetBlock::channels).toList();
        if (!widths.equals(config.has("block_out_channels") ? wanted : List.of())) {
            throw config.wrong("block_out_channels", "is " + widths + ", but the U-Net has " + wanted);
        }
        List<Integer> layers = each(config, "motion_layers_per_block", wanted.size(), new JsonPrimitive(2)).stream()
            .map(it -> config.positiveInteger("motion_layers_per_block", it)).toList();
        List<Integer> wantedLayers = blocks.down().stream().map(UNetBlock::layers).toList();
        if (!layers.equals(wantedLayers)) {
            throw config.wrong("motion_layers_per_block", "is " + layers + ", but the U-Net has " + wantedLayers);
        }
        if (config.positiveInteger("motion_mid_block_layers_per_block", 1) != 1) {
            throw config.wrong("motion_mid_block_layers_per_block", "must be 1, as U-Nets have one layer there");
        }
        return read(config, blocks, "motion_transformer_layers_per_block", "motion_transformer_layers_per_mid_block");
    }

    private static Motion read(ConfigFile config, UNetBlocks blocks, String depthsKey, String midKey) {
        int levels = blocks.down().size();
        List<Integer> heads = heads(config, HEADS, levels, Collections.nCopies(levels, 8));
        List<Integer> upHeads = heads(config, UP_HEADS, levels, heads.reversed());
        List<JsonElement> depths = each(config, depthsKey, levels, new JsonPrimitive(1));
        boolean given = config.has(UP_DEPTHS);
        if (!given && depths.stream().anyMatch(JsonElement::isJsonArray)) {
            throw config.wrong(UP_DEPTHS, "is missing; it is needed where " + depthsKey + " has lists inside");
        }
        List<JsonElement> upDepths = given ? each(config, UP_DEPTHS, levels, new JsonPrimitive(1)) : depths.reversed();
        Optional<Level> mid = blocks.mid().filter(block -> config.flag(MID, true)).map(block ->
            new Level(heads.getLast(), depths(config, midKey,
                config.element(midKey).orElse(new JsonPrimitive(1)), block.layers())));
        return new Motion(levels(config, depthsKey, blocks.down(), heads, depths), mid,
            levels(config, given ? UP_DEPTHS : depthsKey, blocks.up(), upHeads, upDepths),
            config.positiveInteger(LONGEST, USUAL_LONGEST));
    }

    private static List<Integer> heads(ConfigFile config, String key, int levels, List<Integer> otherwise) {
        return config.has(key) ? each(config, key, levels, new JsonPrimitive(8)).stream()
            .map(it -> config.positiveInteger(key, it)).toList() : otherwise;
    }

    private static List<JsonElement> each(ConfigFile config, String key, int levels, JsonElement otherwise) {
        JsonElement value = config.element(key).orElse(otherwise);
        if (!value.isJsonArray()) {
            return Collections.nCopies(levels, value);
        }
        if (value.getAsJsonArray().size() != levels) {
            throw config.wrong(key, "must have one entry for each of the " + levels + " blocks, not "
                + value.getAsJsonArray().size());
        }
        return value.getAsJsonArray().asList();
    }

    private static List<Level> levels(ConfigFile config, String key, List<UNetBlock> blocks, List<Integer> heads,
        List<JsonElement> depths) {
        List<Level> levels = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            if (heads.get(i) > blocks.get(i).channels()) {
                throw config.wrong(HEADS, "means " + heads.get(i) + " heads, more than the " + blocks.get(i).channels()
                    + " channels of a block");
            }
            levels.add(new Level(heads.get(i), depths(config, key, depths.get(i), blocks.get(i).layers())));
        }
        return levels;
    }

    /** One number for all layers of a block, or a list with one number for each layer. */
    private static List<Integer> depths(ConfigFile config, String key, JsonElement value, int layers) {
        if (value.isJsonArray() && value.getAsJsonArray().size() != layers) {
            throw config.wrong(key, "must have one entry for each of the " + layers + " layers of a block, not "
                + value);
        }
        List<JsonElement> each = value.isJsonArray() ? value.getAsJsonArray().asList()
            : Collections.nCopies(layers, value);
        return each.stream().map(it -> {
            int depth = config.positiveInteger(key, it);
            if (depth > MOST_LAYERS) {
                throw config.wrong(key, "must be at most " + MOST_LAYERS + ", not " + depth);
            }
            return depth;
        }).toList();
    }
}
