package dev.slipstream.pipelines.graph.patch;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The moments of several norms in one tensor, as patches exchange them: of each norm in turn the means, then the mean
 * squares.
 */
final class StatisticsPack {
    /** What patches exchange of all norms at once goes by this name, as if there were one. */
    static final String OF_ALL = "norms";
    private final Additions additions;
    private final List<Long> sizes = new ArrayList<>();

    StatisticsPack(Additions additions, List<GroupNorm> norms) {
        this.additions = additions;
        norms.stream().map(GroupStatistics::size).forEach(size -> sizes.addAll(List.of(size, size)));
    }

    TensorType type() {
        return TensorType.of(DataType.FLOAT32, sizes.stream().mapToLong(Long::longValue).sum());
    }

    /** Packs moments; where they have a second axis, that stays. */
    String joined(List<Moments> moments, String output) {
        return additions.concat(0, moments.stream().flatMap(each -> List.of(each.mean(), each.square()).stream())
            .toList(), output);
    }

    List<Moments> apart(String packed, String name) {
        List<String> pieces = additions.split(packed, sizes, name);
        return IntStream.range(0, pieces.size() / 2)
            .mapToObj(norm -> new Moments(pieces.get(2 * norm), pieces.get(2 * norm + 1))).toList();
    }

    /** The mean of packs. */
    String mean(List<String> packs, String name) {
        return additions.node("Mul", name, additions.node("Sum", name + ":sum", packs.toArray(String[]::new)),
            additions.number(name + ":share", 1.0 / packs.size()));
    }
}
