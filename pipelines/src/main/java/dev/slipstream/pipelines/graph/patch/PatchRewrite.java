package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.Renaming;
import dev.slipstream.pipelines.graph.fusion.GroupNorm;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention;
import dev.slipstream.pipelines.graph.fusion.HeadedAttention.Operand;
import dev.slipstream.pipelines.graph.fusion.HeadsLayout;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/** The graph of one patch: that of the denoiser for a patch's shape, in which operators see beyond its edges. */
final class PatchRewrite extends Rewrite {
    private final int patch;
    private final Map<String, TensorType> taken = new LinkedHashMap<>();
    private final Map<String, String> former = new LinkedHashMap<>();
    private final Map<NodeProto, String> secondInputs = new IdentityHashMap<>();

    /** @param part the denoiser with the shapes of one patch, {@code patch} which one it is to be */
    PatchRewrite(Graph part, Sites sites, Patching patching, int patch) {
        super(part, sites, patching, sites.partTypes());
        this.patch = patch;
    }

    @Override
    Graph rewritten() {
        Map<String, String> own = new HashMap<>();
        List<ValueInfoProto> inputs = new ArrayList<>();
        for (ValueInfoProto input : graph.inputs()) {
            inputs.add(ValueInfos.of(input.getName(), sites.wholeTypes().get(input.getName())));
            if (sites.isDivided(input.getName())) {
                own.put(input.getName(), ownRows(input.getName()));
            }
        }
        sites.attentionOfPart().forEach(this::attend);
        PatchNorms norms = new PatchNorms(patching.norms() == Norms.SEPARATE ? List.of() : sites.normsOfPart());
        for (NodeProto node : graph.nodes()) {
            if (sites.halo(node).isPresent()) {
                convolve(node, sites.halo(node).get());
            } else if (!norms.takeOver(node)) {
                additions.add(withInputs(node, own));
            }
        }
        norms.finish();
        taken.forEach((name, type) -> inputs.add(ValueInfos.of(name, type)));
        return of(inputs, ownName(graph.outputs().getFirst().getName()), renamed());
    }

    /** Inputs that are what the patch wrote itself a step before, and under which name it did. */
    Map<String, String> former() {
        return former;
    }

    private String ownName(String tensor) {
        return tensor + "@" + patch;
    }

    /** Tensors of a patch are called otherwise than those of the whole and of the other patches. */
    private List<NodeProto> renamed() {
        Renaming names = new Renaming();
        additions.nodes().stream().flatMap(node -> Nodes.writes(node).stream()).filter(name -> !taps.contains(name))
            .forEach(name -> names.put(name, ownName(name)));
        return additions.nodes().stream().map(names::apply).toList();
    }

    private String ownRows(String input) {
        int axis = patching.axis().index();
        long rows = types.get(input).shape().dim(axis);
        return additions.slice(input, axis, patch * rows, (patch + 1) * rows, input + ":own");
    }

    private NodeProto withInputs(NodeProto node, Map<String, String> own) {
        NodeProto.Builder changed = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            changed.setInput(i, own.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        if (secondInputs.containsKey(node)) {
            changed.setInput(1, secondInputs.get(node));
        }
        return changed.build();
    }

    private void convolve(NodeProto conv, Sites.Halo halo) {
        int axis = patching.axis().index();
        String source = conv.getInput(0);
        long rows = types.get(source).shape().dim(axis);
        String name = Sites.name(conv);
        boolean first = patch == 0;
        boolean last = patch == patching.patches() - 1;
        // What every patch has whole needs no exchange.
        String input = graph.isInput(source)
            ? additions.slice(source, axis, patch * rows - (first ? 0 : halo.before()),
                (patch + 1) * rows + (last ? 0 : halo.after()), name + ":rows")
            : gathered(source, types.get(source), axis, name, "rows",
                Piece.rowsBeside(patching.patches(), rows, halo.before(), halo.after()));
        additions.add(conv.toBuilder().setInput(0, input).clearAttribute()
            .addAllAttribute(conv.getAttributeList().stream()
                .map(attribute -> attribute.getName().equals("pads") ? pads(attribute, first, last) : attribute)
                .toList()).build());
    }

    /** Zeros only stand at the edges of the picture. */
    private AttributeProto pads(AttributeProto pads, boolean first, boolean last) {
        int before = patching.axis().index() - 2;
        AttributeProto.Builder inner = pads.toBuilder();
        if (!first) {
            inner.setInts(before, 0);
        }
        if (!last) {
            inner.setInts(before + pads.getIntsCount() / 2, 0);
        }
        return inner.build();
    }

    /**
     * A tensor of the patch with what it has of the same tensor of others, in the order of the patches; gives the
     * others what they have of it.
     */
    private String gathered(String own, TensorType type, int axis, String site, String what,
        IntFunction<List<Piece>> pieces) {
        for (Piece piece : Piece.given(patch, patching.patches(), pieces)) {
            String tap = piece.tensor(site, what);
            if (piece.to() - piece.from() == type.shape().dim(axis)) {
                additions.node("Identity", tap, own);
            } else {
                additions.slice(own, axis, piece.from(), piece.to(), tap);
            }
            taps.add(tap);
        }
        List<String> parts = new ArrayList<>();
        List<Piece> read = pieces.apply(patch);
        read.forEach(piece ->
            parts.add(take(piece.tensor(site, what), resized(type, axis, piece.to() - piece.from()))));
        parts.add((int) read.stream().filter(piece -> piece.patch() < patch).count(), own);
        return parts.size() == 1 ? own : additions.concat(axis, parts, site + ":all-" + what);
    }

    private static TensorType resized(TensorType type, int axis, long size) {
        long[] dims = type.shape().toArray();
        dims[axis] = size;
        return new TensorType(type.type(), Shape.of(dims));
    }

    /** A further input of the graph. */
    private String take(String name, TensorType type) {
        taken.put(name, type);
        return name;
    }

    private void attend(HeadedAttention attention) {
        String site = Sites.name(attention.product());
        secondInputs.put(attention.scored(), operand(attention.key(), attention.scored(), site, "keys", true));
        secondInputs.put(attention.product(), operand(attention.value(), attention.product(), site, "values", false));
    }

    /** The keys or values of all that the patch attends to, in the form in which a product reads them. */
    private String operand(Operand operand, NodeProto product, String site, String what, boolean turned) {
        HeadsLayout layout = operand.layout();
        DataType element = types.get(operand.source()).type();
        String flat = operand.source();
        if (!dims(flat).equals(layout.dims())) {
            flat = additions.reshape(flat, layout.dims(), site + ":own-" + what);
        }
        IntFunction<List<Piece>> pieces = Piece.tokens(patching.patches(), layout.tokens(), patching.portion());
        TensorType own = TensorType.of(element, layout.dims().stream().mapToLong(Long::longValue).toArray());
        String all = gathered(flat, own, 1, site, what, pieces);
        long tokens = layout.tokens() + pieces.apply(patch).stream().mapToLong(it -> it.to() - it.from()).sum();
        String heads = additions.reshape(all, List.of(layout.rows(), tokens, layout.heads(), layout.width()),
            site + ":heads-of-" + what);
        String apart = turned ? additions.transpose(heads, site + ":turned-" + what, 0, 2, 3, 1)
            : additions.transpose(heads, site + ":turned-" + what, 0, 2, 1, 3);
        TensorType read = types.get(product.getInput(1));
        List<Long> form = new ArrayList<>(dims(product.getInput(1)));
        form.set(form.size() - (turned ? 1 : 2), tokens);
        if (form.size() != 4 || form.getFirst() != layout.rows()) {
            apart = additions.reshape(apart, form, site + ":formed-" + what);
        }
        if (operand.factor() != 1) {
            apart = additions.node("Mul", site + ":scaled-" + what, apart,
                additions.number(site + ":scale-of-" + what, operand.factor(), element));
        }
        return read.type() == element ? apart : additions.cast(apart, read.type(), site + ":cast-" + what);
    }

    /**
     * The norms of the patch. Where they take what others had a step before, that comes and goes for all of them in one
     * tensor; where a norm takes what others have now, it is exchanged at that norm.
     */
    private final class PatchNorms {
        private final List<GroupNorm> norms;
        private final Set<NodeProto> nodes;
        private final boolean together;
        private final Map<NodeProto, GroupNorm> last = new IdentityHashMap<>();
        private final List<Moments> measured = new ArrayList<>();
        private final Iterator<Moments> changes;

        /** @param norms those that look beyond the patch, in the order of their last nodes */
        PatchNorms(List<GroupNorm> norms) {
            this.norms = norms;
            this.nodes = GroupNorm.nodes(norms);
            this.together = patching.norms() == Norms.CORRECTED && !norms.isEmpty();
            norms.forEach(norm -> last.put(norm.nodes().getLast(), norm));
            this.changes = (together ? changes() : List.<Moments>of()).iterator();
        }

        /** Whether a node belongs to a norm; with the last of its nodes, the norm is written. */
        boolean takeOver(NodeProto node) {
            if (last.containsKey(node)) {
                normalize(last.get(node));
            }
            return nodes.contains(node);
        }

        /** Gives others what was measured. */
        void finish() {
            if (together) {
                StatisticsPack pack = StatisticsPack.ofAll(additions, norms);
                taps.add(pack.joined(measured, pack.tensor(patch)));
            }
        }

        private List<String> others(StatisticsPack pack) {
            return Piece.all(patching.patches(), 1).apply(patch).stream()
                .map(piece -> take(pack.tensor(piece.patch()), pack.type())).collect(Collectors.toList());
        }

        /** By what the moments of all patches differed from one's own a step before, in the order of the norms. */
        private List<Moments> changes() {
            StatisticsPack pack = StatisticsPack.ofAll(additions, norms);
            String before = take(pack.site() + ":former-statistics@" + patch, pack.type());
            former.put(before, pack.tensor(patch));
            List<String> all = others(pack);
            all.add(patch, before);
            return pack.apart(additions.node("Sub", pack.site() + ":change", pack.mean(all), before));
        }

        private void normalize(GroupNorm norm) {
            GroupStatistics statistics = new GroupStatistics(additions, norm);
            Moments own = statistics.measure();
            double factor = patching.bessel() ? PatchedNetwork.unbiased(GroupStatistics.elements(norm)) : 1;
            if (together) {
                measured.add(own);
                statistics.normalize(statistics.corrected(own, changes.next()), Optional.of(own), factor);
            } else {
                statistics.normalize(exchanged(norm, own), Optional.empty(), factor);
            }
        }

        /** The mean over all patches, of this step or, for all but one's own, of the one before. */
        private Moments exchanged(GroupNorm norm, Moments own) {
            StatisticsPack pack = StatisticsPack.of(additions, norm);
            String tap = pack.joined(List.of(own), pack.tensor(patch));
            taps.add(tap);
            List<String> all = others(pack);
            all.add(patch, tap);
            return pack.apart(pack.mean(all)).getFirst();
        }
    }
}
