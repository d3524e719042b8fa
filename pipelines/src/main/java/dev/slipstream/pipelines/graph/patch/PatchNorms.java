package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The norms of a patch. Where they take what others had a step before, that comes and goes for all of them in one
 * tensor; where a norm takes what others have now, it is exchanged at that norm.
 */
final class PatchNorms {
    private final PatchRewrite rewrite;
    private final Additions additions;
    private final List<GroupNorm> norms;
    private final Set<NodeProto> nodes;
    private final Map<NodeProto, GroupNorm> last = new IdentityHashMap<>();
    private final List<Moments> measured = new ArrayList<>();
    private final Iterator<Moments> changes;

    /** @param norms those that look beyond the patch, in the order of their last nodes */
    PatchNorms(PatchRewrite rewrite, List<GroupNorm> norms) {
        this.rewrite = rewrite;
        this.additions = rewrite.additions;
        this.norms = norms;
        this.nodes = GroupNorm.nodes(norms);
        norms.forEach(norm -> last.put(norm.nodes().getLast(), norm));
        this.changes = (packed() ? changes() : List.<Moments>of()).iterator();
    }

    private boolean packed() {
        return rewrite.patching.norms() == Norms.CORRECTED && !norms.isEmpty();
    }

    /** Whether a node belongs to a norm; with the last of its nodes, the norm is written. */
    boolean takesOver(NodeProto node) {
        if (last.containsKey(node)) {
            normalize(last.get(node));
        }
        return nodes.contains(node);
    }

    /** Gives others what was measured. */
    void finish() {
        if (packed()) {
            rewrite.taps.add(new StatisticsPack(additions, norms).joined(measured, own(StatisticsPack.OF_ALL)));
        }
    }

    private String own(String site) {
        return tensor(site, rewrite.patch);
    }

    private static String tensor(String site, int patch) {
        return new Piece(patch, "", 0, 1).tensor(site, GroupStatistics.NAME);
    }

    private List<String> others(String site, StatisticsPack pack) {
        return new ArrayList<>(Piece.all(rewrite.patching.patches(), 1).apply(rewrite.patch).stream()
            .map(piece -> rewrite.take(piece.tensor(site, GroupStatistics.NAME), pack.type())).toList());
    }

    /** What the moments of all patches differed from one's own a step before, in the order of the norms. */
    private List<Moments> changes() {
        StatisticsPack pack = new StatisticsPack(additions, norms);
        String site = StatisticsPack.OF_ALL;
        String former = rewrite.takeFormer(site + ":former-statistics@" + rewrite.patch, pack.type(), own(site));
        List<String> all = others(site, pack);
        all.add(rewrite.patch, former);
        return pack.apart(additions.node("Sub", site + ":change", pack.mean(all, site + ":mean"), former),
            site + ":changes");
    }

    private void normalize(GroupNorm norm) {
        GroupStatistics statistics = new GroupStatistics(additions, norm);
        Moments own = statistics.measure();
        double factor = rewrite.patching.bessel() ? PatchedNetwork.unbiased(GroupStatistics.elements(norm)) : 1;
        if (packed()) {
            measured.add(own);
            statistics.normalize(statistics.corrected(own, changes.next()), Optional.of(own), factor);
        } else {
            statistics.normalize(together(norm, own), Optional.empty(), factor);
        }
    }

    /** The mean over all patches, of this step or, for all but one's own, of the one before. */
    private Moments together(GroupNorm norm, Moments own) {
        String site = Sites.name(norm.norm());
        StatisticsPack pack = new StatisticsPack(additions, List.of(norm));
        String tap = pack.joined(List.of(own), own(site));
        rewrite.taps.add(tap);
        List<String> all = others(site, pack);
        all.add(rewrite.patch, tap);
        return pack.apart(pack.mean(all, site + ":together"), site + ":apart").getFirst();
    }
}
