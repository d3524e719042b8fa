package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention.Operand;
import dev.slipstream.pipelines.graph.patch.Patching.Axis;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;

/** The whole denoiser, with all that patches exchange as further outputs: those of a step in which all is fresh. */
final class TappedRewrite extends Rewrite {
    /** Of all norms whose statistics go together. */
    private final List<Moments> measured = new ArrayList<>();

    TappedRewrite(Graph whole, Sites sites, Patching patching) {
        super(whole, sites, patching, sites.wholeTypes());
    }

    @Override
    Graph rewritten() {
        List<GroupNorm> norms = sites.normsOfWhole();
        Map<NodeProto, GroupNorm> last = new IdentityHashMap<>();
        norms.forEach(norm -> last.put(norm.nodes().getLast(), norm));
        Set<NodeProto> rewritten = patching.bessel() ? GroupNorm.nodes(norms) : Set.of();
        for (NodeProto node : graph.nodes()) {
            if (!rewritten.contains(node)) {
                additions.add(node);
            }
            if (last.containsKey(node)) {
                norm(last.get(node));
            }
            sites.halo(node).filter(halo -> !graph.isInput(node.getInput(0))).ifPresent(halo -> rows(node, halo));
        }
        sites.attentionOfWhole().forEach(this::attention);
        if (!measured.isEmpty()) {
            give(StatisticsPack.ofAll(additions, norms), measured);
        }
        return of(graph.inputs(), graph.outputs().getFirst().getName(), additions.nodes());
    }

    private void rows(NodeProto conv, Sites.Halo halo) {
        int axis = patching.axis().index();
        long rows = types.get(conv.getInput(0)).shape().dim(axis) / patching.patches();
        slices(conv.getInput(0), axis, rows, Sites.name(conv), "rows",
            Piece.rowsBeside(patching.patches(), rows, halo.before(), halo.after()));
    }

    private void slices(String source, int axis, long length, String site, String what,
        IntFunction<List<Piece>> pieces) {
        for (int patch = 0; patch < patching.patches(); patch++) {
            for (Piece piece : Piece.given(patch, patching.patches(), pieces)) {
                String tap = piece.tensor(site, what);
                additions.slice(source, axis, patch * length + piece.from(), patch * length + piece.to(), tap);
                taps.add(tap);
            }
        }
    }

    private void attention(HeadedAttention attention) {
        String site = Sites.name(attention.product());
        tokens(attention.key(), site, "keys");
        tokens(attention.value(), site, "values");
    }

    private void tokens(Operand operand, String site, String what) {
        List<Long> dims = operand.layout().dims();
        long tokens = operand.layout().tokens() / patching.patches();
        String flat = dims(operand.source()).equals(dims) ? operand.source()
            : additions.reshape(operand.source(), dims, site + ":flat-" + what);
        IntFunction<List<Piece>> pieces = Piece.tokens(patching.patches(), tokens, patching.portion());
        if (patching.axis() == Axis.ROWS) {
            slices(flat, 1, tokens, site, what, pieces);
            return;
        }
        // Tokens of a patch of columns do not lie side by side.
        long width = width(operand.layout().tokens());
        String grid = additions.reshape(flat, List.of(dims.get(0), dims.get(1) / width, width, dims.get(2)),
            site + ":grid-of-" + what);
        long columns = width / patching.patches();
        for (int patch = 0; patch < patching.patches(); patch++) {
            for (Piece piece : Piece.given(patch, patching.patches(), pieces)) {
                String tap = piece.tensor(site, what);
                String own = additions.slice(grid, 2, patch * columns, (patch + 1) * columns, tap + ":columns");
                additions.reshape(own, List.of(dims.get(0), tokens, dims.get(2)), tap);
                taps.add(tap);
            }
        }
    }

    /** Of a feature map with so many pixels: all are as much smaller in height as in width. */
    private long width(long pixels) {
        List<Long> latents = dims(graph.inputs().stream().map(ValueInfoProto::getName)
            .filter(sites::isDivided).findFirst().orElseThrow());
        double shrunk = Math.sqrt((double) latents.get(2) * latents.get(3) / pixels);
        return Math.round(latents.get(3) / shrunk);
    }

    private void norm(GroupNorm norm) {
        GroupStatistics statistics = new GroupStatistics(additions, norm);
        if (patching.norms() != Norms.SEPARATE) {
            Moments each = measuredEach(statistics, norm);
            if (patching.norms() == Norms.CORRECTED) {
                measured.add(each);
            } else {
                give(StatisticsPack.of(additions, norm), List.of(each));
            }
        }
        if (patching.bessel()) {
            statistics.normalize(statistics.measure(), Optional.empty(),
                PatchedNetwork.unbiased(GroupStatistics.elements(norm) / patching.patches()));
        }
    }

    private Moments measuredEach(GroupStatistics statistics, GroupNorm norm) {
        int patches = patching.patches();
        List<Long> pixels = dims(pixels(norm));
        return statistics.measureEach(patches,
            (patching.axis() == Axis.ROWS ? pixels.get(2) : 1) * pixels.get(3) / patches);
    }

    /** @param each moments of each patch, with patches as second axis */
    private void give(StatisticsPack pack, List<Moments> each) {
        String all = pack.joined(each, pack.site() + ":of-patches");
        for (int patch = 0; patch < patching.patches(); patch++) {
            String tap = pack.tensor(patch);
            additions.reshape(additions.slice(all, 1, patch, patch + 1L, tap + ":own"),
                List.of(pack.type().shape().dim(0)), tap);
            taps.add(tap);
        }
    }

    /** The feature map that a norm of groups was given. */
    private String pixels(GroupNorm norm) {
        String tensor = norm.input();
        while (types.get(tensor).shape().rank() != 4) {
            String source = tensor;
            tensor = graph.producer(tensor).map(node -> node.getInput(0)).filter(types::containsKey)
                .orElseThrow(() -> Sites.refused(norm.norm(), "'" + source + "' is not made of a feature map"));
        }
        return tensor;
    }
}
