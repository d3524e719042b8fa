package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Finds how to cut a network into parts, one a device: with the largest load as small as it can be, and then with as
 * few bytes between devices as can be. Any network with any number of parts, devices of unequal speed, and memory for
 * so many weights. Immutable; any thread may use it.
 *
 * <p>Parts are runs of the network's pieces in the order in which they run, or shells: a part that begins and ends with
 * others inside, so that skips stay on one device (AsyncDiff's cut of SDXL is one). The one that begins inside may do
 * again what comes before it: more work, and fewer bytes. The search is exact over pieces: the linear partition problem
 * by dynamic programming, with a Pareto set of load and bytes.
 */
public final class CutFinder {
    /**
     * How much slower than the fastest a cut may be for fewer bytes. Loads that are predicted are wrong by about that,
     * as they are different on each kind of device; who has measured them takes less.
     */
    public static final double TOLERANCE = 0.08;

    /** The same where time matters and not bytes. */
    public static final double FASTEST = 0.01;

    /** The same where bytes matter more than time: links are slow, or others use them. */
    public static final double LEAN = 0.15;

    /** Which parts there may be. */
    public enum Form {
        /** Each part is a run of pieces. */
        CONTIGUOUS,
        /** A part may also lie around others. */
        SHELLS,
        /** As before, and the one that begins inside may do again what comes before it, in place of reading it. */
        REPEATED
    }

    private final Graph live;
    private final StepDependence dependence;
    private final ToDoubleFunction<NodeProto> cost;
    private final List<String> apart;
    private final PieceChain chain;

    private CutFinder(Graph live, Set<String> laggable, ToDoubleFunction<NodeProto> cost, List<String> apart) {
        this.live = live;
        this.dependence = new StepDependence(live, laggable);
        this.cost = node -> checked(cost.applyAsDouble(node), node);
        this.apart = List.copyOf(apart);
        this.chain = new PieceChain(live, dependence, this.cost, apart);
    }

    private static double checked(double cost, NodeProto node) {
        if (!(cost >= 0) || Double.isInfinite(cost)) {
            throw new IllegalArgumentException("the cost of node " + Nodes.label(node) + " is " + cost);
        }
        return cost;
    }

    /**
     * @param graph with types, of which bytes are counted; a tensor of unknown type counts as one byte
     * @param laggable inputs that change from step to step through the latents; nodes that do not depend on them are
     *     replicated and count for nothing
     * @param cost what a node costs in any unit, not negative: predicted, such as
     *     {@link dev.slipstream.pipelines.graph.shape.Costs}, or measured
     * @param apart modules that are in no part
     */
    public static CutFinder of(Graph graph, Set<String> laggable, ToDoubleFunction<NodeProto> cost,
        List<String> apart) {
        return new CutFinder(GraphPruner.prune(graph), laggable, cost, apart);
    }

    /** Into how many parts the network can be cut at most. */
    public int most() {
        return chain.size();
    }

    /**
     * The cut with the fewest bytes of those that are nearly as fast as the fastest.
     *
     * @param devices what the parts are for, one each
     * @param within how much slower it may be, as a share, such as {@link #TOLERANCE}
     * @throws GraphException if there are fewer pieces than devices, or the devices have too little memory
     */
    public FoundCut best(List<PartDevice> devices, Form form, double within) {
        return candidates(devices, form, within).getLast();
    }

    /**
     * The cuts of which none is both faster and has fewer bytes, fastest first.
     *
     * @param within how much slower than the fastest they may be, as a share; with shells, more than 0.1 takes long
     * @throws GraphException as {@link #best}
     */
    public List<FoundCut> candidates(List<PartDevice> devices, Form form, double within) {
        if (devices.isEmpty()) {
            throw new IllegalArgumentException("a network is cut for at least one device");
        }
        if (devices.size() > chain.size()) {
            throw new GraphException("cannot cut " + chain.size() + " pieces into " + devices.size() + " parts");
        }
        List<PartSearch.Option> options = PartSearch.best(chain, devices, form, within);
        if (options.isEmpty()) {
            throw new GraphException("no cut fits the memory of the devices: all weights are "
                + chain.weights().into(0, chain.size()) + " bytes, and the devices take "
                + devices.stream().map(PartDevice::weightBytes).toList());
        }
        return options.stream().map(option -> found(option, devices.size())).toList();
    }

    private FoundCut found(PartSearch.Option option, int parts) {
        TreeMap<Integer, Integer> deviceFrom = new TreeMap<>();
        for (PartSearch.Part part : option.parts()) {
            deviceFrom.put(part.start(), part.device());
            if (part.again() < part.end()) {
                deviceFrom.put(part.again(), part.device());
            }
        }
        Map<Integer, Integer> repeats = option.parts().stream().filter(part -> part.first() < part.start())
            .collect(Collectors.toMap(PartSearch.Part::device, part -> deviceFrom.headMap(part.start()).size()));
        String name = deviceFrom.size() == parts ? "contiguous-" : repeats.isEmpty() ? "shell-" : "repeated-";
        List<List<String>> ends = deviceFrom.keySet().stream().skip(1).map(chain::alive).toList();
        TensorCut cut = new TensorCut(name + parts, ends, List.copyOf(deviceFrom.values()), repeats, Map.of(), apart);
        return new FoundCut(cut, chain.load(0, chain.size()), option.parts().stream()
            .sorted(Comparator.comparing(PartSearch.Part::device)).map(part -> part.share(chain)).toList());
    }

    /**
     * The same figures of a cut that is known, such as the table of a paper.
     *
     * @throws GraphException if the graph cannot be cut so
     */
    public FoundCut measure(Division cut) {
        return new FoundCut.Counting(live, dependence, cost, Ownership.of(live, dependence, cut)).of(cut);
    }

    /**
     * The best divisions of a chain of pieces into parts, one a device. By dynamic programming over runs of pieces and
     * the devices that are left, with a Pareto set in each place, since both figures matter: the largest load, and
     * bytes, which add up over the parts.
     *
     * <p>A part is a run of pieces, or, in a shell, two runs around those of the parts inside, which are divided
     * likewise. One that does again what comes before it is a run from the first piece on.
     */
    private static final class PartSearch {
        /** Where nothing was found within a bound, it is raised by this. */
        private static final double RAISE = 1.05;

        private final PieceChain chain;
        private final List<PartDevice> devices;
        private final Form form;
        private final double bound;
        private final Map<Place, List<Option>> known = new HashMap<>();

        /**
         * A part: pieces from {@code start} up to {@code inside}, and from {@code again} up to {@code end}; no second
         * run where these are equal.
         *
         * @param first of the pieces that it does: before {@code start} where it does again what others do
         */
        record Part(int device, int first, int start, int inside, int again, int end) {
            FoundCut.Share share(PieceChain chain) {
                return new FoundCut.Share(load(chain), weightBytes(chain), receivedBytes(chain));
            }

            double load(PieceChain chain) {
                return chain.load(first, inside) + chain.load(again, end);
            }

            long weightBytes(PieceChain chain) {
                return chain.weights().into(first, inside, again, end);
            }

            long receivedBytes(PieceChain chain) {
                return chain.tensors().into(first, inside, again, end);
            }
        }

        /**
         * Parts in the order in which they begin.
         *
         * @param slowest the largest load of a part divided by its device's speed
         * @param bytes that all parts read from others
         * @param rest the parts behind the first or inside it; null where there are none
         */
        record Option(double slowest, long bytes, Part part, Option rest) {
            List<Part> parts() {
                List<Part> parts = new ArrayList<>();
                for (Option option = this; option != null; option = option.rest) {
                    parts.add(option.part);
                }
                return parts;
            }
        }

        /** Pieces to be divided. @param first piece that the part at their start does, which may do some again */
        private record Place(int first, int start, int end, List<Integer> devices) {
            Place(int start, int end, List<Integer> devices) {
                this(start, start, end, devices);
            }
        }

        private PartSearch(PieceChain chain, List<PartDevice> devices, Form form, double bound) {
            this.chain = chain;
            this.devices = devices;
            this.form = form;
            this.bound = bound;
        }

        /**
         * The options of which none is better in both figures, fastest first; empty if the devices have too little
         * memory.
         *
         * @param within how much slower than the fastest they may be, as a share
         */
        static List<Option> best(PieceChain chain, List<PartDevice> devices, Form form, double within) {
            double all = chain.load(0, chain.size());
            double bound = all / devices.stream().mapToDouble(PartDevice::speed).sum() * (1 + within);
            double most = all / devices.stream().mapToDouble(PartDevice::speed).min().orElseThrow() * (1 + within);
            List<Integer> indexes = IntStream.range(0, devices.size()).boxed().toList();
            while (true) {
                List<Option> found = new PartSearch(chain, devices, form, bound).options(new Place(0, chain.size(),
                    indexes));
                double enough = found.isEmpty() ? bound * RAISE : found.getFirst().slowest() * (1 + within);
                if (enough <= bound || found.isEmpty() && bound > most) {
                    double limit = enough;
                    return found.stream().filter(option -> option.slowest() <= limit).toList();
                }
                bound = enough;
            }
        }

        private List<Option> options(Place place) {
            List<Option> options = known.get(place);
            if (options == null) {
                options = found(place);
                known.put(place, options);
            }
            return options;
        }

        private List<Option> found(Place place) {
            List<Option> options = new ArrayList<>();
            List<Integer> left = place.devices();
            for (int index = 0; index < left.size(); index++) {
                int device = left.get(index);
                // Of equal devices one is tried.
                if (left.subList(0, index).stream().noneMatch(it -> devices.get(it).equals(devices.get(device)))) {
                    List<Integer> rest = new ArrayList<>(left);
                    rest.remove(index);
                    if (rest.isEmpty()) {
                        offer(options, run(place, device, place.end()), null);
                        continue;
                    }
                    runs(options, place, device, rest);
                    if (form != Form.CONTIGUOUS) {
                        shells(options, place, device, rest);
                    }
                }
            }
            return options;
        }

        private static Part run(Place place, int device, int end) {
            return new Part(device, place.first(), place.start(), end, end, end);
        }

        private void runs(List<Option> options, Place place, int device, List<Integer> rest) {
            for (int end = place.start() + 1; end <= place.end() - rest.size(); end++) {
                if (fits(place.first(), end, rest, place.end(), device)) {
                    for (Option option : options(new Place(end, place.end(), rest))) {
                        offer(options, run(place, device, end), option);
                    }
                }
            }
        }

        /** Whether neither the run nor what is behind it has too much to do. */
        private boolean fits(int start, int end, List<Integer> rest, int stop, int device) {
            return chain.load(start, end) <= bound * devices.get(device).speed()
                && chain.load(end, stop) <= bound * speed(rest);
        }

        private double speed(List<Integer> some) {
            return some.stream().mapToDouble(device -> devices.get(device).speed()).sum();
        }

        private void shells(List<Option> options, Place place, int device, List<Integer> rest) {
            double most = bound * devices.get(device).speed();
            double inside = bound * speed(rest);
            for (int start = place.start() + 1; start < place.end() - rest.size(); start++) {
                double first = chain.load(place.first(), start);
                for (int end = place.end() - 1; end >= start + rest.size()
                    && first + chain.load(end, place.end()) <= most; end--) {
                    Part part = new Part(device, place.first(), place.start(), start, end, place.end());
                    offerAround(options, part, start, rest, inside);
                    if (form == Form.REPEATED) {
                        offerAround(options, part, 0, rest, inside);
                    }
                }
            }
        }

        /** Tries a part around others. @param first piece that the part inside does. @param most load of all inside */
        private void offerAround(List<Option> options, Part part, int first, List<Integer> rest, double most) {
            if (chain.load(first, part.again()) <= most) {
                for (Option option : options(new Place(first, part.inside(), part.again(), rest))) {
                    offer(options, part, option);
                }
            }
        }

        /** Adds an option unless one is there that is as good in both figures; takes out those that are beaten now. */
        private void offer(List<Option> options, Part part, Option rest) {
            PartDevice device = devices.get(part.device());
            double load = part.load(chain) / device.speed();
            double slowest = rest == null ? load : Math.max(load, rest.slowest());
            long before = rest == null ? 0 : rest.bytes();
            if (load > bound || isBeaten(options, slowest, before)) {
                return;
            }
            long bytes = before + part.receivedBytes(chain);
            if (isBeaten(options, slowest, bytes) || part.weightBytes(chain) > device.weightBytes()) {
                return;
            }
            options.removeIf(other -> other.slowest() >= slowest && other.bytes() >= bytes);
            int place = 0;
            while (place < options.size() && options.get(place).slowest() < slowest) {
                place++;
            }
            options.add(place, new Option(slowest, bytes, part, rest));
        }

        private static boolean isBeaten(List<Option> options, double slowest, long bytes) {
            return options.stream().anyMatch(other -> other.slowest() <= slowest && other.bytes() <= bytes);
        }
    }
}
