package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.pipe.NodeFlow.Operand;
import dev.slipstream.pipelines.graph.pipe.TokenLayout.Section;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One part for one patch: the nodes of the part, which find fewer tokens, but for attention, where keys and values of
 * the other patches are put beside those of this one.
 */
final class PatchGraph extends PartGraph {
    private final TokenFlow flow;
    private final Blocks blocks;
    private final int part;
    private final List<Patch> patches;
    private final Patch patch;
    private final boolean textIsGiven;
    private final Set<String> made = new HashSet<>();

    /**
     * @param patches all of them
     * @param index of the one that it is for
     */
    PatchGraph(TokenFlow flow, Blocks blocks, int part, List<Patch> patches, int index) {
        super(flow);
        this.flow = flow;
        this.blocks = blocks;
        this.part = part;
        this.patches = patches;
        this.patch = patches.get(index);
        boolean keepsText = !blocks.haveOneStream();
        this.textIsGiven = keepsText && index > 0;
        for (NodeProto node : flow.graph().nodes()) {
            if (flow.changes(node) && blocks.part(node) == part) {
                write(node);
            }
        }
        boolean givesText = keepsText && index == 0 && patches.size() > 1;
        for (NodeProto node : flow.graph().nodes()) {
            if (flow.changes(node) && blocks.part(node) == part) {
                Nodes.writes(node).stream().filter(tensor -> blocks.leaves(tensor)
                    || givesText && blocks.isText(tensor)).forEach(this::give);
            }
        }
        flow.sites().stream().filter(site -> blocks.part(site) == part).forEach(this::givePicture);
        String prediction = flow.graph().outputs().getFirst().getName();
        if (blocks.part(prediction) == part) {
            givePicture(prediction);
        }
    }

    private void write(NodeProto node) {
        Map<Integer, Operand> operands = flow.flow(node).map(NodeFlow::operands).orElse(Map.of());
        NodeProto.Builder written = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            String input = node.getInput(i);
            written.setInput(i, switch (operands.get(i)) {
                case null -> input.isEmpty() ? input : local(input);
                case Operand.Table table -> rows(input, table.layout());
                case Operand.Gathered gathered -> gathered(input);
                case Operand.Integers integers -> integers(name(node.getOutput(0)) + "/" + i,
                    integers.values().apply(patch));
            });
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            String output = node.getOutput(i);
            written.setOutput(i, isGiven(output) ? output + "/unused" : name(output));
        }
        add(written.build());
    }

    /** Whether it is the text that the first patch of this step had. */
    private boolean isGiven(String tensor) {
        return textIsGiven && blocks.isText(tensor);
    }

    /** What it is called here, where this part makes it. */
    private String name(String tensor) {
        return flow.layout(tensor).map(layout -> layout.isPicture() ? PipeNetwork.ofPatch(tensor, patch)
            : PipeNetwork.ofPatch(tensor, patch) + "/both").orElse(tensor);
    }

    /** What this patch has of a tensor. */
    private String local(String tensor) {
        if (!flow.changes(tensor)) {
            return tensor;
        }
        Optional<NodeProto> maker = flow.graph().producer(tensor);
        if (maker.isEmpty()) {
            input(name(tensor), type(tensor, flow.layout(tensor).orElseThrow(), patch));
            return name(tensor);
        }
        if (blocks.part(maker.get()) != part) {
            return taken(tensor);
        }
        if (isGiven(tensor)) {
            input(tensor, flow.type(tensor));
        }
        return name(tensor);
    }

    /** Rows of what is there for the whole picture. */
    private String rows(String tensor, TokenLayout layout) {
        String rows = PipeNetwork.ofPatch(tensor, patch) + "/rows" + layout.axis();
        if (!made.add(rows)) {
            return rows;
        }
        List<String> pieces = new ArrayList<>();
        long begin = 0;
        for (Section section : layout.sections()) {
            long row = section.picture() ? section.length() / patch.all() : 0;
            String piece = layout.isPicture() ? rows : rows + "/" + pieces.size();
            pieces.add(slice(tensor, piece, layout.axis(), begin + row * (section.picture() ? patch.first() : 0),
                section.length(patch)));
            begin += section.length();
        }
        return pieces.size() == 1 ? rows : concat(pieces, rows, layout.axis());
    }

    /** What the part before made, of this patch, and of the text with the first one. */
    private String taken(String tensor) {
        Optional<TokenLayout> layout = flow.layout(tensor);
        if (layout.isEmpty()) {
            input(tensor, flow.type(tensor));
        } else if (made.add(name(tensor))) {
            List<String> pieces = new ArrayList<>();
            for (Section section : layout.get().sections()) {
                String piece = section.picture() ? PipeNetwork.ofPatch(tensor, patch) : text(tensor, pieces.size());
                input(piece, type(tensor, section, patch));
                pieces.add(piece);
            }
            if (pieces.size() > 1) {
                concat(pieces, name(tensor), layout.get().axis());
            }
        }
        return name(tensor);
    }

    /** The type of a section for a patch. */
    private TensorType type(String tensor, Section section, Patch of) {
        TokenLayout layout = flow.layout(tensor).orElseThrow();
        return type(tensor, new TokenLayout(layout.axis(), layout.outer(), List.of(section)), of);
    }

    private static String text(String tensor, int section) {
        return tensor + "/text" + section;
    }

    /** Keys or values of all patches. */
    private String gathered(String tensor) {
        if (flow.layout(tensor).isEmpty()) {
            return local(tensor);
        }
        String all = tensor + "/all";
        if (!made.add(all)) {
            return all;
        }
        Optional<String> source = flow.gatheredSource(tensor);
        if (source.isEmpty()) {
            return gatheredHere(tensor, all);
        }
        NodeProto maker = flow.graph().producer(tensor).orElseThrow();
        NodeProto.Builder copy = maker.toBuilder().setName(maker.getName() + "/all").setOutput(0, all);
        for (int i = 0; i < maker.getInputCount(); i++) {
            copy.setInput(i, gathered(maker.getInput(i)));
        }
        add(copy.build());
        return all;
    }

    private String gatheredHere(String site, String all) {
        TokenLayout layout = flow.layout(site).orElseThrow();
        List<String> pieces = new ArrayList<>();
        int number = 0;
        for (Section section : layout.sections()) {
            if (section.picture()) {
                for (Patch other : patches) {
                    String piece = other.equals(patch) ? picture(site) : PipeNetwork.ofPatch(site, other);
                    if (!other.equals(patch)) {
                        input(piece, type(site, section, other));
                    }
                    pieces.add(piece);
                }
            } else {
                pieces.add(textOf(site, number));
            }
            number++;
        }
        return concat(pieces, all, layout.axis());
    }

    /** What this patch has of the picture in a tensor that it makes. */
    private String picture(String tensor) {
        TokenLayout layout = flow.layout(tensor).orElseThrow();
        int number = 0;
        while (!layout.sections().get(number).picture()) {
            number++;
        }
        return layout.isPicture() ? name(tensor) : section(tensor, PipeNetwork.ofPatch(tensor, patch), number);
    }

    private String textOf(String tensor, int number) {
        return section(tensor, text(tensor, number), number);
    }

    private String section(String tensor, String to, int number) {
        TokenLayout layout = flow.layout(tensor).orElseThrow();
        if (layout.outer() > 1) {
            throw new GraphException("tensor '" + tensor + "' has text and picture for all rows of a batch at once, "
                + "which cannot be told apart for a patch");
        }
        long begin = layout.sections().stream().limit(number).mapToLong(section -> section.length(patch)).sum();
        return made.add(to) ? slice(name(tensor), to, layout.axis(), begin,
            layout.sections().get(number).length(patch)) : to;
    }

    /** For other parts or patches: the picture of this patch, and with the first patch the text. */
    private void give(String tensor) {
        Optional<TokenLayout> layout = flow.layout(tensor);
        if (layout.isPresent()) {
            givePicture(tensor);
        }
        if (patch.index() > 0) {
            return;
        }
        if (layout.isEmpty()) {
            output(tensor, flow.type(tensor));
            return;
        }
        for (int i = 0; i < layout.get().sections().size(); i++) {
            Section section = layout.get().sections().get(i);
            if (!section.picture()) {
                output(textOf(tensor, i), type(tensor, section, patch));
            }
        }
    }

    private void givePicture(String tensor) {
        Section section = flow.layout(tensor).orElseThrow().sections().stream().filter(Section::picture).findFirst()
            .orElseThrow();
        output(picture(tensor), type(tensor, section, patch));
    }
}
