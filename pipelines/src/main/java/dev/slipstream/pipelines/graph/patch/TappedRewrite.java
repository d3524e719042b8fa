package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention.Operand;
import dev.slipstream.pipelines.graph.patch.Patching.Axis;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** The whole denoiser, with all that patches exchange as further outputs: those of a step in which all is fresh. */
final class TappedRewrite extends Rewrite {
    TappedRewrite(Graph whole, Sites sites, Patching patching) {
        super(whole, sites, patching, sites.wholeTypes());
    }

    @Override
    Graph rewritten() {
        for (NodeProto node : graph.nodes()) {
            if (sites.isNorm(node)) {
                norm(node);
            } else {
                additions.add(node);
            }
            sites.halo(node).filter(halo -> !graph.isInput(node.getInput(0))).ifPresent(halo -> rows(node, halo));
        }
        sites.attentionOfWhole().forEach(this::attention);
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

    private void norm(NodeProto norm) {
        boolean exchanged = patching.norms() != Norms.SEPARATE;
        if (!exchanged && !patching.bessel()) {
            additions.add(norm);
            return;
        }
        GroupStatistics statistics =
            new GroupStatistics(graph, additions, norm, types.get(norm.getInput(0)));
        String site = Sites.name(norm);
        String grouped = statistics.grouped();
        if (exchanged) {
            statistics(statistics, norm, grouped, site);
        }
        if (patching.bessel()) {
            statistics.normalize(grouped, statistics.measure(grouped, site + ":statistics"), Optional.empty(),
                PatchedNetwork.unbiased(statistics.elements() / patching.patches()));
        } else {
            additions.add(norm);
        }
    }

    private void statistics(GroupStatistics statistics, NodeProto norm, String grouped, String site) {
        int patches = patching.patches();
        List<Long> pixels = dims(pixels(norm));
        long outer = patching.axis() == Axis.ROWS ? 1 : pixels.get(2);
        long elements = statistics.elements();
        long inner = (patching.axis() == Axis.ROWS ? pixels.get(2) : 1) * pixels.get(3) / patches;
        String apart = additions.reshape(grouped, List.of(pixels.getFirst(), statistics.groups(),
            elements / inner / patches, (long) patches, inner), site + ":patches");
        String each = statistics.measureEach(apart, elements / patches, patches, site + ":of-patches");
        for (int patch = 0; patch < patches; patch++) {
            String tap = new Piece(patch, "", 0, 1).tensor(site, GroupStatistics.NAME);
            additions.reshape(additions.slice(each, 2, patch, patch + 1L, tap + ":own"), statistics.statisticsDims(),
                tap);
            taps.add(tap);
        }
    }

    /** The feature map that a norm of groups was given. */
    private String pixels(NodeProto norm) {
        String tensor = norm.getInput(0);
        while (types.get(tensor).shape().rank() != 4) {
            String source = tensor;
            tensor = graph.producer(tensor).map(node -> node.getInput(0)).filter(types::containsKey)
                .orElseThrow(() -> Sites.refused(norm, "'" + source + "' is not made of a feature map"));
        }
        return tensor;
    }
}
