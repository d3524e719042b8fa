package dev.slipstream.pipelines.graph.patch;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The moments of several norms in one tensor, as patches exchange them: of each norm in turn the means, then the mean
 * squares.
 */
final class StatisticsPack {
    private static final String ALL = "norms";

    private final Additions additions;
    private final String site;
    private final List<Long> sizes = new ArrayList<>();

    private StatisticsPack(Additions additions, String site, List<GroupNorm> norms) {
        this.additions = additions;
        this.site = site;
        norms.stream().map(GroupStatistics::size).forEach(size -> sizes.addAll(List.of(size, size)));
    }

    static StatisticsPack ofAll(Additions additions, List<GroupNorm> norms) {
        return new StatisticsPack(additions, ALL, norms);
    }

    static StatisticsPack of(Additions additions, GroupNorm norm) {
        return new StatisticsPack(additions, Sites.name(norm.norm()), List.of(norm));
    }

    /** What its tensors are named after. */
    String site() {
        return site;
    }

    /** The name of a patch's. */
    String tensor(int patch) {
        return new Piece(patch, "", 0, 1).tensor(site, GroupStatistics.NAME);
    }

    TensorType type() {
        return TensorType.of(DataType.FLOAT32, sizes.stream().mapToLong(Long::longValue).sum());
    }

    /** Packs moments; where they have a second axis, that stays. */
    String joined(List<Moments> moments, String output) {
        return additions.concat(0, moments.stream().flatMap(each -> Stream.of(each.mean(), each.square())).toList(),
            output);
    }

    /** Unpacks them, in the order of the norms. */
    List<Moments> apart(String packed) {
        List<String> pieces = additions.split(packed, sizes, site + ":apart");
        return IntStream.range(0, pieces.size() / 2)
            .mapToObj(norm -> new Moments(pieces.get(2 * norm), pieces.get(2 * norm + 1))).toList();
    }

    /** The mean of packs. */
    String mean(List<String> packs) {
        return additions.node("Mul", site + ":mean-of-patches",
            additions.node("Sum", site + ":sum", packs.toArray(String[]::new)),
            additions.number(site + ":share", 1.0 / packs.size()));
    }
}
