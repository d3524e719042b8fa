package dev.slipstream.pipelines.model.unet;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The blocks that a configuration describes. Most options are one value for all blocks or a list with one for each on
 * the way down, which counts backwards on the way up.
 */
final class UNetBlocks {
    private static final String DEPTHS = "transformer_layers_per_block";
    private static final String UP_DEPTHS = "reverse_transformer_layers_per_block";

    private static final int MOST_LAYERS = 100;

    private final ConfigFile config;
    private final List<Integer> channels;
    private final List<Integer> layers;
    private final List<Integer> heads;
    private final List<Boolean> onlyCross;
    private final List<JsonElement> depths;

    UNetBlocks(ConfigFile config, List<Integer> channels) {
        this.config = config;
        this.channels = channels;
        this.layers = each("layers_per_block", 2,
            it -> limited("layers_per_block", config.positiveInteger("layers_per_block", it)));
        // diffusers' naming error: what published configurations call the width of a head is the number of heads.
        String headsKey = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
        this.heads = each(headsKey, 8, it -> config.positiveInteger(headsKey, it));
        this.onlyCross = each("only_cross_attention", false, it -> config.flag("only_cross_attention", it));
        this.depths = each(DEPTHS, new JsonPrimitive(1), Function.identity());
    }

    private <T> List<T> each(String key, T otherwise, Function<JsonElement, T> read) {
        Optional<JsonElement> value = config.element(key);
        if (value.isEmpty() || !value.get().isJsonArray()) {
            return Collections.nCopies(channels.size(), value.map(read).orElse(otherwise));
        }
        return list(key).stream().map(read).toList();
    }

    private List<JsonElement> list(String key) {
        List<JsonElement> list = config.list(key);
        if (list.size() != channels.size()) {
            throw config.wrong(key, "must have one entry for each of the " + channels.size() + " blocks, not "
                + list.size());
        }
        return list;
    }

    List<UNetBlock> down() {
        List<String> types = types("down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", false);
        List<UNetBlock> blocks = new ArrayList<>();
        for (int i = 0; i < channels.size(); i++) {
            blocks.add(block(i, types.get(i).startsWith("Cross"), depths(DEPTHS, depths.get(i), layers.get(i))));
        }
        return blocks;
    }

    Optional<UNetBlock> mid() {
        if (config.root().has("mid_block_type") && !config.has("mid_block_type")) {
            return Optional.empty();
        }
        String type = config.text("mid_block_type").orElse("UNetMidBlock2DCrossAttn");
        int last = channels.size() - 1;
        return switch (type) {
            case "UNetMidBlock2DCrossAttn" -> {
                // Two residual blocks with one transformer between them, which reads the picture in any case.
                List<Integer> depth = depths(DEPTHS, depths.get(last), layers.get(last)).subList(0, 1);
                yield Optional.of(checked(new UNetBlock(channels.get(last), true, heads.get(last), depth, false)));
            }
            case "UNetMidBlock2D" -> Optional.of(new UNetBlock(channels.get(last), false, 1, List.of(0), false));
            default -> throw unsupported("mid_block_type", type, "UNetMidBlock2DCrossAttn, UNetMidBlock2D and null");
        };
    }

    List<UNetBlock> up() {
        List<String> types = types("up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", true);
        boolean given = config.has(UP_DEPTHS);
        if (!given && depths.stream().anyMatch(JsonElement::isJsonArray)) {
            throw config.wrong(UP_DEPTHS, "is missing; it is needed where " + DEPTHS + " has lists inside");
        }
        List<JsonElement> upDepths = given ? list(UP_DEPTHS) : depths.reversed();
        List<UNetBlock> blocks = new ArrayList<>();
        for (int i = 0; i < channels.size(); i++) {
            int mirrored = channels.size() - 1 - i;
            blocks.add(block(mirrored, types.get(i).startsWith("Cross"),
                depths(given ? UP_DEPTHS : DEPTHS, upDepths.get(i), layers.get(mirrored) + 1)));
        }
        return blocks;
    }

    /** @param plainFirst whether the default has the block without attention first */
    private List<String> types(String key, String attending, String plain, boolean plainFirst) {
        if (!config.has(key)) {
            List<String> types = new ArrayList<>(Collections.nCopies(3, attending));
            types.add(plainFirst ? 0 : 3, plain);
            if (channels.size() != types.size()) {
                throw config.wrong(key, "is missing, and its default is for 4 blocks, not " + channels.size());
            }
            return types;
        }
        List<String> types = list(key).stream().map(it -> config.text(key, it)).toList();
        types.stream().filter(type -> !type.equals(attending) && !type.equals(plain)).findFirst().ifPresent(type -> {
            throw unsupported(key, type, attending + " and " + plain);
        });
        return types;
    }

    private UNetBlock block(int index, boolean attends, List<Integer> blockDepths) {
        return checked(new UNetBlock(channels.get(index), attends, heads.get(index), blockDepths,
            onlyCross.get(index)));
    }

    private UNetBlock checked(UNetBlock block) {
        if (block.attends() && block.channels() < block.heads()) {
            throw config.wrong("attention_head_dim", "means " + block.heads() + " heads, more than the "
                + block.channels() + " channels of a block");
        }
        return block;
    }

    /** One number for all layers of a block, or a list with one for each. */
    private List<Integer> depths(String key, JsonElement value, int count) {
        if (!value.isJsonArray()) {
            return Collections.nCopies(count, depth(key, value));
        }
        List<JsonElement> list = value.getAsJsonArray().asList();
        if (list.size() != count) {
            throw config.wrong(key, "must have one entry for each of the " + count + " layers of a block, not " + list);
        }
        return list.stream().map(it -> depth(key, it)).toList();
    }

    /** 0 as well: then a transformer has its first and last layer only. */
    private int depth(String key, JsonElement value) {
        return limited(key, config.index(key, value));
    }

    /** What is written once for each, so that a damaged file must not ask for millions. */
    private int limited(String key, int count) {
        if (count > MOST_LAYERS) {
            throw config.wrong(key, "must be at most " + MOST_LAYERS + ", not " + count);
        }
        return count;
    }

    private ModelException unsupported(String key, String value, String supported) {
        return config.wrong(key, "has \"" + value + "\", which is not supported; supported: " + supported);
    }
}
