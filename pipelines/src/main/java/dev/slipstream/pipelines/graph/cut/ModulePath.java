package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which module of the model a node comes from: {@code torch.onnx.export} names a node after it, so
 * {@code /up_blocks.1/resnets.0/conv1/Conv} is in {@code up_blocks.1.resnets.0.conv1}. Where node names say nothing
 * (optimisers drop them), the names of output tensors usually still do.
 */
public final class ModulePath {
    /** Inside the blocks of a UNet; else the first numbered module is the unit, as in {@code transformer_blocks.7}. */
    private static final Pattern PIECE_OF_BLOCK =
        Pattern.compile("(.*?\\.)??(resnets|attentions|motion_modules|downsamplers|upsamplers)\\.\\d+(?=\\.|$)");
    private static final Pattern NUMBERED = Pattern.compile("(.*?\\.)??\\D[^.]*\\.\\d+(?=\\.|$)");

    private ModulePath() {
    }

    /** The dotted path of the module, or "" for a node of the model itself or without such a name. */
    public static String of(NodeProto node) {
        String name = node.getName().indexOf('/') >= 0 ? node.getName() : node.getOutput(0);
        String path = name.startsWith("/") ? name.substring(1) : name;
        return path.substring(0, Math.max(0, path.lastIndexOf('/'))).replace('/', '.');
    }

    /** The first module of a path that is one of several, as in {@code transformer_blocks.7}. */
    public static Optional<String> numbered(String path) {
        Matcher numbered = NUMBERED.matcher(path);
        return numbered.lookingAt() ? Optional.of(numbered.group()) : Optional.empty();
    }

    /** The module with this path inside that is a unit of networks: a residual block, an attention, a sampler. */
    public static String unit(String path) {
        Matcher piece = PIECE_OF_BLOCK.matcher(path);
        return piece.lookingAt() ? piece.group() : numbered(path).orElse(path);
    }

    /** Whether a unit lies in a block of a UNet, where an attention may be a transformer of several blocks. */
    static boolean isPieceOfBlock(String unit) {
        return PIECE_OF_BLOCK.matcher(unit).matches();
    }

    /** The path without its last element; "" for the path of a single one. */
    static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('.')));
    }

    /** The entry of the longest prefix of a path, whole elements only: "up_blocks.1" is no prefix of "up_blocks.10". */
    static Optional<String> longestPrefix(String path, Map<String, ?> prefixes) {
        String prefix = path;
        while (!prefix.isEmpty() && !prefixes.containsKey(prefix)) {
            prefix = parent(prefix);
        }
        return prefix.isEmpty() ? Optional.empty() : Optional.of(prefix);
    }
}
