package dev.slipstream.samples.model;

import dev.slipstream.pipelines.model.init.ModelTemplate.WrittenPart;
import dev.slipstream.pipelines.model.original.ModelConversion;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a checkpoint in one file out as a folder. */
@Command(name = "convert", customSynopsis = "slipstream model convert [OPTIONS] FILE DIR",
    description = {
        "Writes a checkpoint in one file (the original layout, safetensors or GGUF) out as a folder in the layout of "
            + "diffusers.",
        "Values stay as they are; fp8 and GGUF's blocks become bf16 or fp32, whichever holds them exactly. What the "
            + "file lacks is copied from the folder that --config names. If DIR ends with .safetensors, it becomes a "
            + "file with the same tensors under their own names."},
    footer = {"",
        "Examples:",
        "  slipstream model convert FILE.safetensors --config DIR folder",
        "  slipstream model convert FILE.gguf plain.safetensors"})
public final class ModelConvertCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "FILE", description = "The checkpoint.")
    private Path file;

    @Parameters(index = "1", paramLabel = "DIR", description = "The folder: a new one, or an empty one.")
    private Path target;

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print what was written as one JSON object.")
    private boolean json;

    @Mixin
    private QuietOption quiet;

    @Spec
    private CommandSpec spec;

    private record Result(String target, List<WrittenPart> parts, List<String> missing) {
    }

    public ModelConvertCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Result result = convert();
        if (json) {
            terminal.out().println(Json.text(result));
        } else if (!quiet.isQuiet()) {
            terminal.out().println(text(result));
        }
        if (!result.missing.isEmpty()) {
            terminal.warnings(json).accept(file + " has no " + String.join(", ", result.missing)
                + "; a folder that has it, named with --config DIR, makes the model whole");
        }
        return ExitCode.OK;
    }

    private Result convert() {
        if (target.toString().endsWith(".safetensors")) {
            ResultFiles.refuseOverwriting("the result", target, List.of(file));
            return new Result(target.toString(), List.of(ModelConversion.writeTensors(file, target)), List.of());
        }
        ModelSource source = new ModelSource(file, GeneralOptions.of(spec).flatMap(GeneralOptions::modelConfig),
            Optional.empty(), Optional.empty());
        ModelConversion conversion = ModelConversion.write(source, target);
        return new Result(target.toString(), conversion.parts(), conversion.missing());
    }

    private static String text(Result result) {
        Table table = new Table().left("folder").left("class").right("parameters").right("size");
        for (WrittenPart part : result.parts) {
            table.row(part.name(), part.className(), String.format(Locale.ROOT, "%,d", part.parameters()),
                Amounts.bytes(part.bytes()));
        }
        return table + System.lineSeparator()
            + Amounts.bytes(result.parts.stream().mapToLong(WrittenPart::bytes).sum()) + " of weights in "
            + result.target;
    }
}
