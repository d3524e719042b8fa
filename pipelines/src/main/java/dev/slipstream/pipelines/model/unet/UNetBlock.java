package dev.slipstream.pipelines.model.unet;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * One block on the way down, in the middle or on the way up.
 *
 * @param channels of the output of its layers
 * @param attends whether transformers follow its residual blocks
 * @param heads of attention
 * @param depths transformer blocks after each of its residual blocks
 * @param onlyCrossAttention whether the first attention of a transformer block reads the text too, not the picture
 */
record UNetBlock(int channels, boolean attends, int heads, List<Integer> depths, boolean onlyCrossAttention) {
    UNetBlock {
        depths = List.copyOf(depths);
    }

    /** Channels inside its transformers: fewer than outside where the heads do not divide those, as in diffusers. */
    int innerChannels() {
        return channels / heads * heads;
    }

    /** Number of residual blocks. */
    int layers() {
        return depths.size();
    }

    /**
     * Reads the blocks that a configuration describes. Most options are one value for all blocks, or a list with one
     * for each block on the way down, which counts backwards on the way up.
     */
    static final class Reader {
        private static final String DEPTHS = "transformer_layers_per_block";
        private static final String UP_DEPTHS = "reverse_transformer_layers_per_block";

        private static final String MID_DEPTHS = "transformer_layers_per_mid_block";
        private static final String CROSS_DOWN = "CrossAttnDown";
        private static final String CROSS_UP = "CrossAttnUp";

        private static final int MOST_LAYERS = 100;

        private final ConfigFile config;
        private final List<Integer> channels;
        private final List<Integer> layers;
        private final List<Integer> heads;
        private final List<Boolean> onlyCross;
        private final List<JsonElement> depths;
        private final UNetDialect dialect;

        Reader(ConfigFile config, List<Integer> channels, UNetDialect dialect) {
            this.config = config;
            this.channels = channels;
            this.dialect = dialect;
            this.layers = each("layers_per_block", 2,
                it -> limited("layers_per_block", config.positiveInteger("layers_per_block", it)));
            // diffusers' naming error: what published configurations call the width of a head is the number of heads.
            String headsKey = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
            this.heads = !config.has(headsKey) && dialect.heads().size() == channels.size() ? dialect.heads()
                : each(headsKey, 8, it -> config.positiveInteger(headsKey, it));
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
            List<String> types = types("down_block_types", CROSS_DOWN, "Down", false);
            List<UNetBlock> blocks = new ArrayList<>();
            for (int i = 0; i < channels.size(); i++) {
                blocks.add(block(i, types.get(i).startsWith("Cross"), depths(DEPTHS, depths.get(i), layers.get(i))));
            }
            return blocks;
        }

        Optional<UNetBlock> mid() {
            if (dialect.midAlwaysAttends()) {
                return Optional.of(midOfLayers(limited("mid_block_layers",
                    config.positiveInteger("mid_block_layers", 1))));
            }
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
                default -> throw unsupported("mid_block_type", type,
                    "UNetMidBlock2DCrossAttn, UNetMidBlock2D and null");
            };
        }

        private UNetBlock midOfLayers(int count) {
            int last = channels.size() - 1;
            Optional<JsonElement> own = config.element(MID_DEPTHS);
            List<Integer> each = own.isPresent() ? depths(MID_DEPTHS, own.get(), count)
                : depths(DEPTHS, depths.get(last), depths.get(last).isJsonArray() ? layers.get(last) : count);
            if (each.size() < count) {
                throw config.wrong("mid_block_layers", "is " + count + ", more than " + DEPTHS + " has numbers for");
            }
            return checked(new UNetBlock(channels.get(last), true, heads.get(last), each.subList(0, count), false));
        }

        /** Empty where a class has no way up. */
        List<UNetBlock> up() {
            if (dialect == UNetDialect.CONTROL) {
                return List.of();
            }
            List<String> types = types("up_block_types", CROSS_UP, "Up", true);
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
        private List<String> types(String key, String attendingKind, String plainKind, boolean plainFirst) {
            String attending = dialect.blockType(attendingKind);
            String plain = dialect.blockType(plainKind);
            if (!config.has(key)) {
                List<String> types = new ArrayList<>(Collections.nCopies(3, attending));
                types.add(plainFirst ? 0 : 3, plain);
                if (channels.size() != types.size()) {
                    throw config.wrong(key, "is missing, and its default is for 4 blocks, not " + channels.size());
                }
                return types;
            }
            List<String> types = list(key).stream().map(it -> config.text(key, it)).toList();
            types.stream().filter(type -> !Set.of(attending, plain).contains(type)).findFirst().ifPresent(type -> {
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

        /** One number for all layers of a block, or a list with one number for each layer. */
        private List<Integer> depths(String key, JsonElement value, int count) {
            if (!value.isJsonArray()) {
                return Collections.nCopies(count, depth(key, value));
            }
            List<JsonElement> list = value.getAsJsonArray().asList();
            if (list.size() != count) {
                throw config.wrong(key, "must have one entry for each of the " + count + " layers of a block, not "
                    + list);
            }
            return list.stream().map(it -> depth(key, it)).toList();
        }

        /** May be 0: then a transformer has only its first and last layer. */
        private int depth(String key, JsonElement value) {
            return limited(key, config.index(key, value));
        }

        /** Limits numbers of layers, of which each is written out, so that a damaged file cannot ask for millions. */
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
}
