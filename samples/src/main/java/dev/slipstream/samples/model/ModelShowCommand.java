package dev.slipstream.samples.model;

import dev.slipstream.pipelines.model.original.ModelReport;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.samples.options.ModelPath;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a model is. */
@Command(name = "show", customSynopsis = "slipstream model show [OPTIONS] MODEL",
    description = {
        "Says what a model is: family, parts, types of numbers, parameters, size, what is missing, and every file with "
            + "whether it is read.",
        "Only headers and configurations are read."},
    footer = {"",
        "Examples:",
        "  slipstream model show samples/model",
        "  slipstream model show FILE.safetensors --config DIR"})
public final class ModelShowCommand implements Callable<Integer> {
    private static final int UNKNOWN_NAMED = 5;

    private final Terminal terminal;

    @Parameters(paramLabel = "MODEL", description = "A folder in the layout of diffusers, a checkpoint in one file, or "
        + "ORG/NAME in the hub's cache.")
    private String model;

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print it as one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    private record ShownPart(String name, String className, String form, Map<String, Long> types, long parameters,
        long bytes) {
        static ShownPart of(ModelReport.Part part) {
            return new ShownPart(part.name(), part.className(), part.form(), part.types(), part.parameters(),
                part.bytes());
        }
    }

    private record ShownFile(String path, String use, String what) {
    }

    private record Result(String model, String family, String knownAs, List<ShownPart> parts, long parameters,
        long bytes, List<String> missing, List<String> unknownTensors, List<ShownFile> files) {
    }

    public ModelShowCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        ModelReport report = ModelReport.of(new ModelSource(ModelPath.of(model, terminal.environment()),
            GeneralOptions.of(spec).flatMap(GeneralOptions::modelConfig), Optional.empty(), Optional.empty()));
        Result result = result(report);
        terminal.out().println(json ? Json.text(result) : text(result, report));
        return ExitCode.OK;
    }

    private static Result result(ModelReport report) {
        List<ShownPart> parts = report.parts().stream().map(ShownPart::of).toList();
        return new Result(report.model().toString(), report.family().orElse(""), report.knownAs().orElse(""), parts,
            parts.stream().mapToLong(ShownPart::parameters).sum(), parts.stream().mapToLong(ShownPart::bytes).sum(),
            report.missing(), report.unknown(), report.inventory().entries().stream().map(entry -> new ShownFile(
                entry.path(), entry.note().use().name().toLowerCase(Locale.ROOT), entry.note().what())).toList());
    }

    private static String text(Result result, ModelReport report) {
        StringBuilder text = new StringBuilder(result.family.isEmpty() ? "unknown family" : result.family);
        text.append(result.knownAs.isEmpty() ? "" : " (" + result.knownAs + ")").append(" in ").append(result.model)
            .append("\n\n");
        Table table = new Table().left("part").left("class").left("as").left("types").right("parameters")
            .right("size");
        for (ShownPart part : result.parts) {
            table.row(part.name, part.className, part.form, types(part.types), number(part.parameters),
                Amounts.bytes(part.bytes));
        }
        text.append(table).append('\n').append(number(result.parameters)).append(" parameters, ")
            .append(Amounts.bytes(result.bytes)).append("; missing: ")
            .append(result.missing.isEmpty() ? "nothing" : String.join(", ", result.missing)).append("\n\n");
        if (!result.unknownTensors.isEmpty()) {
            int more = result.unknownTensors.size() - UNKNOWN_NAMED;
            text.append("not read of the file: ").append(result.unknownTensors.stream().limit(UNKNOWN_NAMED)
                .collect(Collectors.joining(", "))).append(more > 0 ? " and " + more + " more" : "").append("\n\n");
        }
        return text.append(report.inventory()).toString().stripTrailing();
    }

    /** The type of most numbers first. */
    private static String types(Map<String, Long> types) {
        return types.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed())
            .map(Map.Entry::getKey).collect(Collectors.joining(", "));
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
