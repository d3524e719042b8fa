package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.cut.ChainSketch.Figures;
import dev.slipstream.pipelines.graph.cut.CutFinder.Form;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What the search finds, against all cuts of small chains. */
class CutFinderPropertyTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final double ROUNDING = 1e-9;

    private static CutFinder finder(ChainSketch chain) {
        return CutFinder.of(chain.graph, LAGGABLE, chain::cost, List.of());
    }

    /** Unequal speeds, some equal; little memory now and then. */
    private static List<PartDevice> devices(long seed, int count) {
        Random random = new Random(seed);
        return random.ints(count, 0, 6).mapToObj(kind -> new PartDevice(1 + kind % 3,
            random.nextInt(4) == 0 ? 40 + random.nextInt(60) : Long.MAX_VALUE)).toList();
    }

    @Property(tries = 250)
    void nothingIsFasterAndOfThoseAsFastNothingMovesLess(@ForAll long seed,
        @ForAll @IntRange(min = 1, max = 7) int modules, @ForAll @IntRange(min = 1, max = 3) int parts,
        @ForAll Form form) {
        if (parts > modules) {
            return;
        }
        ChainSketch chain = new ChainSketch(seed, modules);
        List<PartDevice> devices = devices(seed, parts);
        Optional<Figures> best = all(chain, devices, form).stream().filter(Figures::fits)
            .min(Comparator.comparingDouble(Figures::slowest).thenComparingLong(Figures::bytes));

        if (best.isEmpty()) {
            String said = assertThrows(GraphException.class,
                () -> finder(chain).candidates(devices, form, 0)).getMessage();
            assertTrue(said.startsWith("no cut fits the memory"), said);
            return;
        }
        FoundCut found = finder(chain).candidates(devices, form, 0).getFirst();
        assertEquals(best.get().slowest(), slowest(found, devices), ROUNDING);
        assertEquals(best.get().bytes(), found.bytes());
    }

    @Property(tries = 150)
    void candidatesAreTheParetoSet(@ForAll long seed, @ForAll @IntRange(min = 3, max = 6) int modules,
        @ForAll @IntRange(min = 2, max = 3) int parts, @ForAll Form form) {
        ChainSketch chain = new ChainSketch(seed, modules);
        List<PartDevice> devices = devices(seed, parts);
        List<Figures> all = all(chain, devices, form).stream().filter(Figures::fits).toList();
        if (all.isEmpty() || IntStream.range(0, modules).mapToDouble(i -> chain.costs[i]).sum() == 0) {
            return;
        }
        double limit = all.stream().mapToDouble(Figures::slowest).min().orElseThrow() * 1.5;
        Set<List<Double>> best = new HashSet<>();
        all.stream().filter(one -> one.slowest() <= limit && all.stream().noneMatch(other ->
            other.slowest() <= one.slowest() && other.bytes() <= one.bytes() && !(other.slowest() == one.slowest()
                && other.bytes() == one.bytes())))
            .forEach(one -> best.add(List.of(one.slowest(), (double) one.bytes())));

        List<FoundCut> found = finder(chain).candidates(devices, form, 0.5);

        assertEquals(best, new HashSet<>(found.stream().map(cut ->
            List.of(slowest(cut, devices), (double) cut.bytes())).toList()));
    }

    @Property(tries = 150)
    void aCutMeansWhatTheSearchSaysAndRespectsMemory(@ForAll long seed,
        @ForAll @IntRange(min = 4, max = 12) int modules, @ForAll @IntRange(min = 1, max = 4) int parts,
        @ForAll Form form) {
        ChainSketch chain = new ChainSketch(seed, modules);
        List<PartDevice> devices = devices(seed, parts);
        CutFinder finder = finder(chain);
        List<FoundCut> found;
        try {
            found = finder.candidates(devices, form, 0.2);
        } catch (GraphException noRoom) {
            return;
        }
        for (FoundCut cut : found) {
            assertEquals(cut, finder.measure(cut.cut()));
            for (int device = 0; device < parts; device++) {
                assertTrue(cut.shares().get(device).weightBytes() <= devices.get(device).weightBytes());
            }
            Partition partition = Splitter.splitCrossing(chain.graph, List.of(cut.cut()), LAGGABLE);
            assertEquals(parts, partition.components());
        }
    }

    private static double slowest(FoundCut cut, List<PartDevice> devices) {
        return IntStream.range(0, devices.size())
            .mapToDouble(device -> cut.shares().get(device).load() / devices.get(device).speed()).max().orElse(0);
    }

    /** All assignments of modules to devices that are of a form. */
    private static List<Figures> all(ChainSketch chain, List<PartDevice> devices, Form form) {
        List<Figures> all = new ArrayList<>();
        int[] assignment = new int[chain.costs.length];
        for (long code = 0; code < Math.round(Math.pow(devices.size(), assignment.length)); code++) {
            long rest = code;
            for (int module = 0; module < assignment.length; module++) {
                assignment[module] = (int) (rest % devices.size());
                rest /= devices.size();
            }
            if (IntStream.of(assignment).distinct().count() == devices.size()
                && isOf(assignment, 0, assignment.length, form != Form.CONTIGUOUS)) {
                for (Map<Integer, Integer> again : repeats(assignment, 0, assignment.length)) {
                    if (again.isEmpty() || form == Form.REPEATED) {
                        all.add(chain.figures(assignment, devices, again));
                    }
                }
            }
        }
        return all;
    }

    /** Of parts that begin inside of others, each way to do again all that is before them, or not. */
    private static List<Map<Integer, Integer>> repeats(int[] devices, int start, int end) {
        int inside = start;
        while (inside < end && devices[inside] == devices[start]) {
            inside++;
        }
        int again = end;
        while (again > inside && devices[again - 1] == devices[start]) {
            again--;
        }
        if (inside == end) {
            return List.of(Map.of());
        }
        List<Map<Integer, Integer>> all = new ArrayList<>();
        for (Map<Integer, Integer> deeper : repeats(devices, inside, again)) {
            all.add(deeper);
            if (again < end) {
                Map<Integer, Integer> more = new HashMap<>(deeper);
                more.put(devices[inside], inside);
                all.add(more);
            }
        }
        return all;
    }

    /** Whether the first part is a run, or two runs around the others. */
    private static boolean isOf(int[] devices, int start, int end, boolean shells) {
        int inside = start;
        while (inside < end && devices[inside] == devices[start]) {
            inside++;
        }
        int again = end;
        while (shells && again > inside && devices[again - 1] == devices[start]) {
            again--;
        }
        int first = devices[start];
        return inside == end || IntStream.range(inside, again).noneMatch(place -> devices[place] == first)
            && isOf(devices, inside, again, shells);
    }
}
