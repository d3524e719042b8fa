package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineDraft;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows a plan. */
@Command(name = "plan", description = {"Shows what would run where, without opening devices or building engines.",
    "Segments, stages, what goes between them and how old it is, memory."},
    footer = {"",
        "Examples:",
        "  slipstream plan",
        "  slipstream plan --plan asyncdiff:warmup=1,staleness=reference --devices 3",
        "  slipstream plan --devices cuda:0,cuda:1 --model DIR --dot | dot -Tsvg -o plan.svg"})
final class PlanCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "PROMPT", arity = "0..1", defaultValue = "",
        description = "What the picture shows; it matters only for --long-prompts, which make texts longer.")
    private String prompt;

    @Mixin
    private ModelOptions model;

    @Mixin
    private DeviceOptions devices;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private TilesOption tiles;

    @Mixin
    private RefinerOption refiner;

    @Mixin
    private RequestOptions request;

    @Option(names = "--negative", paramLabel = "TEXT", order = 19, defaultValue = "",
        description = "What the picture should not show; it matters as PROMPT does.")
    private String negative;

    @ArgGroup
    private Form form = new Form();

    /** At most one of them. */
    private static final class Form {
        @Option(names = "--dot", order = 30, description = "Write a graph for Graphviz, without a refiner.")
        private boolean dot;

        @Option(names = "--json", order = 31, description = "Print one JSON object.")
        private boolean json;
    }

    PlanCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        ImageRequest wanted = request.request(prompt).withNegative(negative);
        try (PipelineDraft draft =
            refiner.addTo(DiffusionPipeline.of(model.path())).devices(devices.devices()).plan(devices.plan())
                .precision(precision.precision()).tiles(tiles.tiles()).draft()) {
            WarningsOnce warnings = new WarningsOnce(terminal.err());
            draft.warnings().forEach(warnings);
            draft.warnings(wanted).forEach(warnings);
            PlanSummary plan = draft.refiner().map(second -> summary(draft, wanted).with(summary(second, wanted)))
                .orElseGet(() -> summary(draft, wanted));
            terminal.out().println(form.json ? Json.text(plan) : form.dot ? PlanGraphviz.of(plan) : PlanText.of(plan));
        }
        return ExitCode.OK;
    }

    private PlanSummary summary(PipelineDraft draft, ImageRequest wanted) {
        return PlanSummary.of(draft.blueprint(wanted), draft.program(wanted), draft.memory(wanted),
            List.of(devices.devices()));
    }
}
