package dev.slipstream.samples.model;

import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.denoise.CutChoice;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.cut.CutFinder;
import dev.slipstream.pipelines.graph.cut.Division;
import dev.slipstream.pipelines.graph.cut.FoundCut;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Strategy.Cutting.Parts;
import dev.slipstream.samples.options.ConditioningOptions;
import dev.slipstream.samples.options.HollowModel;
import dev.slipstream.samples.options.ModelPath;
import dev.slipstream.samples.options.PrecisionOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares where a denoiser can be cut. */
@Command(name = "cuts", customSynopsis = "slipstream model cuts [OPTIONS] [MODEL]",
    description = {
        "Compares where a model's denoiser can be cut into parts of equal rank, one a device: what the search finds, "
            + "the published tables, and the cuts beside the model.",
        "By prediction: neither devices nor weights are needed."},
    footer = {"",
        "Examples:",
        "  slipstream model cuts --like sdxl --precision fp16",
        "  slipstream model cuts --like svd-xt --parts 2,3,4,8 --precision fp16",
        "  slipstream model cuts samples/model"})
public final class ModelCutsCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "MODEL", arity = "0..1", description = "A folder in the layout of diffusers, a checkpoint "
        + "in one file, or ORG/NAME in the hub's cache.")
    private String model;

    @Option(names = "--like", paramLabel = "FAMILY", order = HelpLayout.OWN + 1,
        completionCandidates = HollowModel.Families.class,
        description = "In place of a model one of this family in its real size, of which no weights are written: "
            + "${COMPLETION-CANDIDATES}.")
    private String family;

    @Option(names = "--parts", paramLabel = "N[,N...]", order = HelpLayout.OWN + 2, split = ",", defaultValue = "2,3,4",
        description = "Into how many parts (${DEFAULT-VALUE}).")
    private List<Integer> parts;

    @Option(names = "--size", paramLabel = "WxH", order = HelpLayout.OWN + 3,
        description = "Pixels, like 512x768, if not those of the model.")
    private String size;

    @Mixin
    private PrecisionOption precision;

    public ModelCutsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        if ((model == null) == (family == null)) {
            throw new InputException("name one model: a MODEL, or a family with --like FAMILY");
        }
        if (parts.stream().anyMatch(count -> count < 2)) {
            throw new InputException("--parts takes numbers from 2 on, not " + parts);
        }
        if (model != null) {
            compare(ModelPath.of(model, terminal.environment()));
            return ExitCode.OK;
        }
        try (HollowModel hollow = HollowModel.like(family)) {
            compare(hollow.folder());
        }
        return ExitCode.OK;
    }

    private void compare(Path folder) {
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").plan("sequential")
            .precision(precision.precision().type()).spec()) {
            PartitionedDenoiser whole = spec.makesVideos() ? spec.unwrap(video(), PartitionedDenoiser.class)
                : spec.unwrap(picture(), PartitionedDenoiser.class);
            Comparison comparison = new Comparison(whole);
            terminal.out().println(comparison.title() + System.lineSeparator());
            terminal.out().print(comparison.table(parts));
        }
    }

    private ImageRequest picture() {
        return pixels().map(it -> ImageRequest.of("").withSize(it.width(), it.height())).orElse(ImageRequest.of(""));
    }

    /** Some models make videos of a picture; what it shows does not matter. */
    private VideoRequest video() {
        VideoRequest request = VideoRequest.of("");
        request = pixels().isPresent() ? request.withSize(pixels().get().width(), pixels().get().height()) : request;
        return family == null || !family.startsWith("svd") ? request
            : request.withPicture(Image.of(1, 1, new byte[3]));
    }

    private Optional<Size> pixels() {
        return Optional.ofNullable(size)
            .map(it -> ConditioningOptions.size("--size", it, "leave it out for the model's own size"));
    }

    /** Cuts of one denoiser, measured alike. */
    private static final class Comparison {
        private final DenoiserGraph denoiser;
        private final Graph graph;
        private final Set<String> laggable;
        private final Costs costs;
        private final CutFinder finder;
        private final CutFinder products;
        private final String sizes;

        Comparison(PartitionedDenoiser whole) {
            this.graph = whole.segment(0).graph();
            this.denoiser = new DenoiserGraph(whole.denoiser().name(), graph, whole.denoiser().config(),
                whole.denoiser().cuts());
            this.laggable = Set.of(denoiser.ports().sample());
            this.costs = Costs.of(graph);
            this.finder = CutFinder.of(graph, laggable, costs, List.of());
            this.products = CutFinder.of(graph, laggable, costs::multiplyAccumulates, List.of());
            this.sizes = whole.shape().latents() + (whole.shape().guided() ? ", with guidance" : "") + ", "
                + whole.denoiser().precision();
        }

        String title() {
            return denoiser.name() + ", latents " + sizes + ": " + Amounts.bytes(graph.weightBytes())
                + " of weights, " + finder.most() + " pieces";
        }

        String table(List<Integer> parts) {
            Table table = new Table().right("parts").left("cut").right("load").right("work").right("bytes a step")
                .right("weights").left("segments in order");
            for (int count : parts) {
                for (String name : names(count)) {
                    division(name, count).ifPresent(cut -> {
                        FoundCut found = finder.measure(cut);
                        table.row(count, name, percent(found.bottleneck()),
                            percent(products.measure(cut).bottleneck()), Amounts.bytes(found.bytes()),
                            percent((double) found.fullest() / graph.weightBytes()),
                            Splitter.splitCrossing(graph, List.of(cut), laggable).segments().stream()
                                .map(Segment::name).collect(Collectors.joining(" ")));
                    });
                }
            }
            return table.toString();
        }

        private List<String> names(int count) {
            List<String> names = new ArrayList<>(Parts.CUTS);
            denoiser.cuts().stream().filter(cut -> cut.size() == count).forEach(cut -> names.add(cut.name()));
            return names.stream().distinct().toList();
        }

        /** Empty where there is no such cut. */
        private Optional<Division> division(String name, int count) {
            try {
                return Optional.of(new CutChoice(denoiser, costs).cuts(new Parts(count, Optional.of(name))).getFirst());
            } catch (GraphException | PlanException none) {
                return Optional.empty();
            }
        }

        private static String percent(double share) {
            return Table.number("%.1f %%", 100 * share);
        }
    }
}
