package dev.slipstream.samples.plan;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Chosen;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.samples.options.ControlOptions;
import dev.slipstream.samples.options.PipelineOptions;
import dev.slipstream.samples.options.RequestOptions;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
        "  slipstream plan --devices cuda:0,cuda:1 --dot > plan.dot"})
public final class PlanCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "PROMPT", arity = "0..1", defaultValue = "",
        description = "What the picture shows; it matters only for --long-prompts, which make texts longer.")
    private String prompt;

    @Mixin
    private PipelineOptions options;

    @Mixin
    private RequestOptions request;

    @Mixin
    private ControlOptions control;

    @Option(names = "--negative", paramLabel = "TEXT", order = HelpLayout.PICTURE + 3, defaultValue = "",
        description = "What the picture should not show; it matters as PROMPT does.")
    private String negative;

    @ArgGroup
    private Form form = new Form();

    /** The form of the output; at most one option. */
    private static final class Form {
        @Option(names = "--dot", order = HelpLayout.OUTPUT,
            description = "Write a graph for Graphviz, without a refiner.")
        private boolean dot;

        @Option(names = "--json", order = HelpLayout.OUTPUT + 1, description = "Print one JSON object.")
        private boolean json;
    }

    public PlanCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        try (PipelineSpec spec = control.apply(options.pipeline()).spec()) {
            spec.warnings().forEach(terminal.warnings(form.json));
            PlanSummary plan = spec.makesVideos() ? ofVideo(spec) : ofPicture(spec);
            options.warnings(plan.steps()).forEach(terminal.warnings(form.json));
            terminal.out().println(form.json ? Json.text(plan) : form.dot ? PlanReport.graphviz(plan)
                : PlanReport.text(plan));
        }
        return ExitCode.OK;
    }

    private PlanSummary ofVideo(PipelineSpec spec) {
        VideoRequest wanted = request.video(prompt).withNegative(negative);
        spec.warnings(wanted).forEach(terminal.warnings(form.json));
        return PlanSummary.of(spec.unwrap(wanted, PartitionedDenoiser.class), spec.unwrap(wanted, Program.class),
            List.of(spec.unwrap(wanted, MemoryNeed[].class)), options.devices(),
            spec.unwrap(wanted, Chosen.class).reason());
    }

    private PlanSummary ofPicture(PipelineSpec spec) {
        if (request.saysVideo()) {
            throw new InputException(RequestOptions.FOR_VIDEOS);
        }
        ImageRequest wanted = control.apply(request.request(prompt)).withNegative(negative);
        spec.warnings(wanted).forEach(terminal.warnings(form.json));
        return spec.refiner().map(second -> summary(spec, wanted).with(summary(second, wanted)))
            .orElseGet(() -> summary(spec, wanted));
    }

    private PlanSummary summary(PipelineSpec spec, ImageRequest wanted) {
        return PlanSummary.of(spec.unwrap(wanted, PartitionedDenoiser.class), spec.unwrap(wanted, Program.class),
            List.of(spec.unwrap(wanted, MemoryNeed[].class)),
            options.devices(), spec.unwrap(wanted, Chosen.class).reason());
    }

    /** A plan for people: as aligned tables, or as a graph for Graphviz. */
    private static final class PlanReport {
        private final PlanSummary plan;

        private PlanReport(PlanSummary plan) {
            this.plan = plan;
        }

        /** As tables. */
        static String text(PlanSummary plan) {
            return new PlanReport(plan).write() + (plan.refiner() == null ? ""
                : "\n\nthen the refiner, which is there from the start: the table above counts its memory, too\n\n"
                    + text(plan.refiner()));
        }

        private String write() {
            String title = plan.plan() + ", " + plan.steps() + " steps, " + (plan.guided() ? "with" : "without")
                + " guidance" + (plan.isNarrow() ? ", " + plan.precision() : "")
                + (plan.batch() > 1 ? ", " + Amounts.count(plan.batch(), "picture") + " at a time" : "") + "\n"
                + (plan.chosen() == null ? "" : "chosen: " + plan.chosen() + "\n");
            String copied = Amounts.bytes(plan.copiedBytes()) + " are copied between devices for "
                + (plan.batch() > 1 ? Amounts.count(plan.batch(), "picture") : "a picture");
            return Stream.of(title, segments(), stages(), edges(), memory(), copied).filter(part -> !part.isEmpty())
                .collect(Collectors.joining("\n"));
        }

        private String segments() {
            Table table = new Table().left("segment").right("nodes").right("weights").right("work");
            plan.segments().forEach(segment -> table.row(segment.name(), segment.nodes(),
                Amounts.bytes(segment.weightBytes()),
                String.format(Locale.ROOT, "%.1f %%", 100 * segment.workShare())));
            return table.toString();
        }

        private String stages() {
            Table table = new Table().left("stage").left("on device").left(plan.stages().stream()
                .allMatch(stage -> stage.rounds() == null) ? "" : "rounds");
            plan.stages().forEach(stage -> table.row(stage.name(), device(stage.device()),
                Optional.ofNullable(stage.rounds()).orElse("")));
            return table.toString();
        }

        private String edges() {
            Table table =
                new Table().left("from").left("to").right("slip").right("tensors").right("bytes a step").left("");
            plan.bundles().forEach(edge -> table.row(plan.stages().get(edge.from()).name(),
                plan.stages().get(edge.to()).name(), edge.slip(), edge.tensors(), Amounts.bytes(edge.bytes()),
                way(edge)));
            return plan.edges().isEmpty() ? "" : table.toString();
        }

        private String way(PlanSummary.EdgeBundle edge) {
            int from = plan.stages().get(edge.from()).device();
            int to = plan.stages().get(edge.to()).device();
            return from == to ? "" : "device " + from + " to " + to;
        }

        private String memory() {
            Table table = new Table().left("device").right("weights").right("encoder, decoder").right("buffers")
                .right("work space").right(plan.copiedBytes() == 0 ? "" : "received a step");
            for (int index = 0; index < plan.devices().size(); index++) {
                PlanSummary.DeviceEntry device = plan.devices().get(index);
                table.row(device(index), Amounts.bytes(device.weightBytes()), Amounts.bytes(device.componentBytes()),
                    Amounts.bytes(device.bufferBytes()), Amounts.bytes(device.workBytes()),
                    plan.copiedBytes() == 0 ? "" : Amounts.bytes(device.receivedBytes()));
            }
            return table.toString();
        }

        /** With its number, as several devices may have the same name. */
        private String device(int index) {
            return index + " (" + plan.devices().get(index).name() + ")";
        }

        /**
         * As text for {@code dot -Tsvg}: stages as boxes, in a frame for each device; edges with their slip, dashed
         * where the value is of an earlier round. Inputs of the whole graph, which every stage gets, are left out.
         */
        static String graphviz(PlanSummary plan) {
            StringBuilder text = new StringBuilder("digraph slipstream {\n  rankdir=LR;\n  node [shape=box];\n");
            text.append("  label=").append(quoted(plan.plan())).append(";\n");
            for (int device = 0; device < plan.devices().size(); device++) {
                text.append("  subgraph cluster_").append(device).append(" {\n    label=")
                    .append(quoted(device + " (" + plan.devices().get(device).name() + ")")).append(";\n");
                int here = device;
                IntStream.range(0, plan.stages().size()).filter(stage -> plan.stages().get(stage).device() == here)
                    .forEach(stage -> text.append("    stage").append(stage).append(" [label=")
                        .append(quoted(plan.stages().get(stage).name())).append("];\n"));
                text.append("  }\n");
            }
            plan.bundles().forEach(edge -> text.append("  stage").append(edge.from()).append(" -> stage")
                .append(edge.to()).append(" [label=").append(quoted("slip " + edge.slip() + ", "
                    + Amounts.count(edge.tensors(), "tensor") + ", " + Amounts.bytes(edge.bytes())))
                .append(edge.slip() == 0 ? "" : ", style=dashed").append("];\n"));
            return text.append('}').toString();
        }

        private static String quoted(String label) {
            return '"' + label.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        }
    }

    /**
     * A plan in numbers: what {@code slipstream plan} prints in each form. The names of the components are the keys
     * of its JSON.
     *
     * @param precision of the denoiser
     * @param batch pictures that are drawn together
     * @param copiedBytes from device to device, for all of these
     * @param chosen why it was, or null where it was asked for
     * @param refiner the plan of the model that takes the last steps, or null; {@code devices} has its memory, too
     */
    private record PlanSummary(String plan, String precision, int steps, boolean guided, int batch,
        List<SegmentEntry> segments,
        List<StageEntry> stages, List<EdgeEntry> edges, List<DeviceEntry> devices, long copiedBytes,
        String chosen, PlanSummary refiner) {

        /** @param workShare part of all multiply-accumulates of one run of the denoiser, 0 to 1 */
        record SegmentEntry(String name, int nodes, long weightBytes, double workShare) {
        }

        /** @param rounds at which steps it runs, null for all */
        record StageEntry(String name, int device, String rounds) {
            private static StageEntry of(Plan plan, int index) {
                Stage stage = plan.stages().get(index);
                String phase = switch (stage.phase()) {
                    case ALL -> null;
                    case SYNCHRONOUS -> "outside the window";
                    case WINDOW -> "in the window";
                };
                String rounds = stage.rounds().equals(Rounds.ALL) ? null : stage.rounds().toString();
                return new StageEntry(plan.label(index), stage.device(),
                    phase == null ? rounds : rounds == null ? phase : phase + ", " + rounds);
            }
        }

        /** Indexes of stages; {@code bytes} go this way every step of the window. */
        record EdgeEntry(String tensor, int from, int to, int slip, long bytes) {
        }

        /**
         * Estimates; {@code componentBytes} are the weights of the text encoder and the image decoder.
         *
         * @param receivedBytes that come from other devices in a step, at most
         */
        record DeviceEntry(String name, long weightBytes, long componentBytes, long bufferBytes, long workBytes,
            long receivedBytes) {
            private static DeviceEntry of(String name, MemoryNeed need, long received) {
                return new DeviceEntry(name, need.weightBytes(), need.componentBytes(), need.bufferBytes(),
                    need.workBytes(), received);
            }
        }

        /** All tensors that go from one stage to another with the same slip: a network has dozens. */
        record EdgeBundle(int from, int to, int slip, int tensors, long bytes) {
            private record Way(int from, int to, int slip) {
            }

            private static List<EdgeBundle> of(List<EdgeEntry> edges) {
                Map<Way, EdgeBundle> bundles = new LinkedHashMap<>();
                for (EdgeEntry edge : edges) {
                    bundles.merge(new Way(edge.from(), edge.to(), edge.slip()),
                        new EdgeBundle(edge.from(), edge.to(), edge.slip(), 1, edge.bytes()), EdgeBundle::and);
                }
                return List.copyOf(bundles.values());
            }

            private EdgeBundle and(EdgeBundle more) {
                return new EdgeBundle(from, to, slip, tensors + more.tensors, bytes + more.bytes);
            }
        }

        static PlanSummary of(PartitionedDenoiser partitioned, Program program, List<MemoryNeed> memory,
            List<String> devices, Optional<String> chosen) {
            Plan plan = partitioned.plan();
            return new PlanSummary(plan.strategy(), partitioned.denoiser().precision().toString(), program.steps(),
                partitioned.shape().guided(), partitioned.shape().batch(), segments(partitioned),
                IntStream.range(0, plan.stages().size())
                    .mapToObj(stage -> StageEntry.of(plan, stage)).toList(),
                plan.edges().stream().map(edge -> edge(partitioned, edge)).toList(),
                IntStream.range(0, plan.devices()).mapToObj(device -> DeviceEntry.of(devices.get(device),
                    memory.get(device), program.receivedBytes(device))).toList(),
                program.copiedBytes(), chosen.orElse(null), null);
        }

        /** The same plan with that of a refiner. */
        PlanSummary with(PlanSummary other) {
            return new PlanSummary(plan, precision, steps, guided, batch, segments, stages, edges, devices, copiedBytes,
                chosen, other);
        }

        private static List<SegmentEntry> segments(PartitionedDenoiser partitioned) {
            Plan plan = partitioned.plan();
            int[] stages = IntStream.range(0, plan.segments().size()).map(segment ->
                plan.stages().stream().map(Stage::segment).toList().indexOf(segment)).toArray();
            double all = IntStream.of(stages).mapToDouble(partitioned::multiplyAccumulates).sum();
            return IntStream.of(stages).mapToObj(stage -> new SegmentEntry(plan.segment(stage).name(),
                partitioned.segment(stage).graph().nodes().size(), partitioned.segmentWeightBytes(stage),
                all == 0 ? 0 : partitioned.multiplyAccumulates(stage) / all)).toList();
        }

        private static EdgeEntry edge(PartitionedDenoiser partitioned, Edge edge) {
            return new EdgeEntry(edge.tensor(), edge.from(), edge.to(), edge.slip(),
                partitioned.types(edge.from()).get(edge.tensor()).bytes());
        }

        /** Whether the denoiser computes in fewer bits than fp32 has. */
        boolean isNarrow() {
            return !precision.equals(Precision.FP32.toString());
        }

        /** The edges in bundles: those between the same stages with the same slip. */
        List<EdgeBundle> bundles() {
            return EdgeBundle.of(edges);
        }
    }
}
