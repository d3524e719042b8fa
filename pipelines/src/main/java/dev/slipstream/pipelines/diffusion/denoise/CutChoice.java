package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.cut.BalancedCut;
import dev.slipstream.pipelines.graph.cut.BlockShell;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.CutFinder.Form;
import dev.slipstream.pipelines.graph.cut.CutFinder;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.Division;
import dev.slipstream.pipelines.graph.cut.ModulesApart;
import dev.slipstream.pipelines.graph.cut.PartDevice;
import dev.slipstream.pipelines.graph.cut.ShellCut;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Where a denoiser is cut. Any thread may use it. */
public final class CutChoice {
    private final DenoiserGraph denoiser;
    private final ToDoubleFunction<NodeProto> cost;
    private CutFinder finder;

    /**
     * @param denoiser fixed to sizes, where costs and bytes count
     * @param cost of a node
     */
    public CutChoice(DenoiserGraph denoiser, ToDoubleFunction<NodeProto> cost) {
        this.denoiser = denoiser;
        this.cost = cost;
    }

    /**
     * The cuts that cross each other as a strategy wants; none where there is only one component. Parts of equal rank
     * are those of the cut of that name; else of the first beside the model that has as many; else the best that a
     * search finds. Where no part should lie around others, a published table comes before that.
     *
     * @throws PlanException if the denoiser cannot be cut so, or there is no cut of that name with as many components
     */
    public List<Division> cuts(Cutting wanted) {
        return switch (wanted) {
            case Cutting.Parts parts when parts.components() == 1 -> List.of();
            case Cutting.Parts parts -> List.of(of(parts));
            case Cutting.Shell(int depth, boolean measured) -> List.of(ShellCut.isPossible(denoiser.graph())
                ? ShellCut.of(denoiser.graph(), depth).withFresh(denoiser.joined())
                : BlockShell.of(denoiser.graph(), laggable(), depth));
            case Cutting.Modules(Set<String> names) -> List.of(new ModulesApart(names));
            case Cutting.Patched patched -> throw new PlanException(patched.strategy().spec()
                + " has graphs of its own, which other plans cannot cut; of the others only cfg-split and guidance go "
                + "with it");
            case Cutting.Crossed(Cutting first, Cutting second) ->
                Stream.of(first, second).flatMap(cut -> cuts(cut).stream()).toList();
            case Cutting.Pipe pipe -> throw new PlanException("parts that patches go through cannot be cut in another "
                + "way as well; compose pipefusion with plans that do not cut, such as cfg-split");
        };
    }

    private Set<String> laggable() {
        return Set.of(denoiser.ports().sample());
    }

    private Division of(Cutting.Parts wanted) {
        return wanted.name().map(name -> named(name, wanted.components())).orElseGet(() -> beside(wanted.components())
            .orElseGet(() -> wanted.shells() ? known("best", wanted.components())
                : published(wanted.components()).orElseGet(() -> known("chain", wanted.components()))));
    }

    private Division named(String name, int components) {
        Optional<Cut> own = denoiser.cuts().stream().filter(cut -> cut.name().equals(name)).findFirst();
        if (own.isPresent()) {
            if (own.get().size() != components) {
                throw new PlanException("cut '" + name + "' has " + own.get().size() + " components, the plan needs "
                    + components);
            }
            return own.get().withFresh(denoiser.joined());
        }
        return known(name, components);
    }

    /** One of those that every network has. */
    private Division known(String name, int components) {
        return switch (name) {
            case "best" -> found(components, Form.SHELLS, CutFinder.TOLERANCE);
            case "fastest" -> found(components, Form.SHELLS, CutFinder.FASTEST);
            case "lean" -> found(components, Form.REPEATED, CutFinder.LEAN);
            case "chain" -> found(components, Form.CONTIGUOUS, CutFinder.TOLERANCE);
            case "published" -> published(components).orElseThrow(() -> new PlanException("there is no published cut "
                + "of denoiser " + denoiser.name() + " into " + components + " components; leave out cut=published"));
            case "balanced" -> balanced(components);
            default -> throw new PlanException("there is no cut '" + name + "' beside the model; there are "
                + Stream.concat(denoiser.cuts().stream().map(Cut::name), Cutting.Parts.CUTS.stream()).toList());
        };
    }

    private Optional<Division> beside(int components) {
        return denoiser.cuts().stream().filter(cut -> cut.size() == components).findFirst()
            .map(cut -> cut.withFresh(denoiser.joined()));
    }

    private Optional<Division> published(int components) {
        return Cuts.reference(denoiser.config(), components).map(cut -> cut.withFresh(denoiser.joined()));
    }

    private Division balanced(int components) {
        return BalancedCut.of(denoiser.graph(), components, laggable(), cost,
            denoiser.joined()).withFresh(denoiser.joined());
    }

    private Division found(int components, Form form, double within) {
        return finder().best(PartDevice.equal(components), form, within).cut();
    }

    private synchronized CutFinder finder() {
        if (finder == null) {
            finder = CutFinder.of(denoiser.graph(), laggable(), cost, denoiser.joined());
        }
        return finder;
    }
}
