package dev.slipstream.pipelines.graph.cut;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A cut of a U-Net into its shell, the layers next to input and output with the skips between them, and what is inside.
 * Of the inner part the shell reads one tensor, the hidden state that comes up.
 */
public final class ShellCut {
    private static final Pattern LAYER = Pattern.compile("(down|up)_blocks\\.(\\d+)(?:\\.resnets\\.(\\d+))?.*");
    private static final List<String> ENDS = List.of("conv_in", "conv_norm_out", "conv_act", "conv_out");
    private static final List<String> OF_A_LAYER = List.of("resnets", "attentions", "motion_modules");

    private final Set<String> modules = new TreeSet<>();
    private final int blocks;
    private final int layers;

    private ShellCut(Graph graph) {
        int mostBlocks = 0;
        int mostLayers = 0;
        for (var node : graph.nodes()) {
            for (String path = ModulePath.of(node); !path.isEmpty(); path = ModulePath.parent(path)) {
                modules.add(path);
            }
        }
        for (String module : modules) {
            Matcher layer = LAYER.matcher(module);
            if (layer.matches() && layer.group(1).equals("down")) {
                mostBlocks = Math.max(mostBlocks, Integer.parseInt(layer.group(2)) + 1);
                mostLayers = Math.max(mostLayers,
                    Optional.ofNullable(layer.group(3)).map(Integer::parseInt).orElse(-1) + 1);
            }
        }
        this.blocks = mostBlocks;
        this.layers = mostLayers;
    }

    /** Whether a graph has blocks of which a shell could be made. */
    public static boolean isPossible(Graph graph) {
        return new ShellCut(graph).isPossible();
    }

    private boolean isPossible() {
        return blocks > 0 && layers > 0 && modules.contains("up_blocks.0");
    }

    /**
     * The first component is the shell, the second the inner part.
     *
     * @param depth how many layers of the way down are in the shell, counting a downsampler as one; DeepCache calls it
     *     the branch. With 0 only the last layer of the way up is, and with the most only the middle is inside
     * @throws GraphException if the graph has no such blocks, or not so many layers
     */
    public static Cut of(Graph graph, int depth) {
        ShellCut shell = new ShellCut(graph);
        if (!shell.isPossible()) {
            throw new GraphException("this denoiser has no down_blocks and up_blocks, so it has no shell; name a cut "
                + "of two components with cut=NAME");
        }
        int most = shell.blocks * (shell.layers + 1) - 1;
        if (depth < 0 || depth > most) {
            throw new GraphException("a shell of this denoiser has a depth of 0 to " + most + ", not " + depth);
        }
        return new Cut("shell-" + depth, List.of(shell.outer(depth), shell.inner(depth)));
    }

    /** A layer of the way up is the mirror image of the one of the way down whose skip it reads. */
    private List<String> outer(int depth) {
        int block = block(depth);
        List<String> outer = new ArrayList<>(ENDS);
        range(0, block).forEach(before -> outer.add("down_blocks." + before));
        range(0, layer(depth)).forEach(before -> outer.addAll(layer("down_blocks." + block, before)));
        int mirror = blocks - 1 - block;
        range(layers - layer(depth), layers + 1).forEach(after -> outer.addAll(layer("up_blocks." + mirror, after)));
        outer.add("up_blocks." + mirror + ".upsamplers");
        range(mirror + 1, blocks).forEach(after -> outer.add("up_blocks." + after));
        return present(outer);
    }

    /** Layer by layer where a block is divided: what joins its layers, such as a concatenation, is in none. */
    private List<String> inner(int depth) {
        int block = block(depth);
        List<String> inner = new ArrayList<>();
        range(layer(depth), layers).forEach(after -> inner.addAll(layer("down_blocks." + block, after)));
        inner.add("down_blocks." + block + ".downsamplers");
        range(block + 1, blocks).forEach(after -> inner.add("down_blocks." + after));
        inner.add("mid_block");
        int mirror = blocks - 1 - block;
        range(0, mirror).forEach(before -> inner.add("up_blocks." + before));
        range(0, layers - layer(depth)).forEach(before -> inner.addAll(layer("up_blocks." + mirror, before)));
        return present(inner);
    }

    private int block(int depth) {
        return depth / (layers + 1);
    }

    private int layer(int depth) {
        return depth % (layers + 1);
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }

    private static List<String> layer(String block, int index) {
        return OF_A_LAYER.stream().map(kind -> block + "." + kind + "." + index).toList();
    }

    private List<String> present(List<String> wanted) {
        return wanted.stream().filter(modules::contains).toList();
    }
}
