package dev.slipstream.samples.model;

import dev.slipstream.pipelines.model.hub.HubModel;
import dev.slipstream.pipelines.model.hub.HubPull.Listener;
import dev.slipstream.pipelines.model.hub.HubPull.Pulled;
import dev.slipstream.pipelines.model.hub.HubPull;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Terminal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Fetches a model from a hub. */
@Command(name = "pull", customSynopsis = "slipstream model pull [OPTIONS] ORG/NAME[@REVISION]",
    description = {
        "Fetches from a Hugging Face hub what a pipeline needs, and no more, into the hub's cache, from which --model "
            + "ORG/NAME takes it.",
        "Every file is compared with its checksum; what was cut short is gone on with. HF_TOKEN, HF_ENDPOINT, HF_HOME, "
            + "HF_HUB_CACHE and HF_HUB_OFFLINE mean what they mean to the hub's own programs. The model's licence is "
            + "shown; whether it allows what you do is for you to find out."},
    footer = {"",
        "Examples:",
        "  slipstream model pull ORG/NAME",
        "  slipstream model pull ORG/NAME --variant fp16"})
public final class ModelPullCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "ORG/NAME[@REVISION]", description = "The model, and a branch, tag or commit of it; "
        + "without one main.")
    private String name;

    @Option(names = "--variant", paramLabel = "NAME", order = HelpLayout.OWN + 1,
        description = "Of the weights, such as fp16, where the model has it; else the plain ones.")
    private String variant;

    @Option(names = "--file", paramLabel = "PATH", order = HelpLayout.OWN + 2,
        description = "Fetch this file and nothing else, for example a checkpoint in one file. May be given several "
            + "times.")
    private List<String> files = List.of();

    @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print what was fetched as one JSON object.")
    private boolean json;

    @Mixin
    private QuietOption quiet;

    private record Result(String model, String commit, String licence, String folder, int files, long bytes,
        long fetched) {
    }

    public ModelPullCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws InterruptedException {
        HubModel model = HubModel.of(name);
        Pulled pulled = new HubPull(model, Optional.ofNullable(variant), Set.copyOf(files), terminal.environment())
            .run(new Shown());
        Result result = new Result(model.toString(), pulled.commit(), pulled.licence(), pulled.snapshot().toString(),
            pulled.files(), pulled.bytes(), pulled.fetched());
        if (json) {
            terminal.out().println(Json.text(result));
        } else if (!quiet.isQuiet()) {
            terminal.out().println(model + " (" + result.commit.substring(0, 7) + "): "
                + Amounts.count(result.files, "file") + ", " + Amounts.bytes(result.bytes) + ", "
                + (result.fetched == 0 ? "all there already" : Amounts.bytes(result.fetched) + " fetched"));
            terminal.out().println(result.folder);
        }
        return ExitCode.OK;
    }

    /** Tells the licence, and where somebody watches, how far it is. */
    private final class Shown implements Listener {
        @Override
        public void found(String commit, String licence, int count, long bytes) {
            if (!json && !quiet.isQuiet()) {
                terminal.out().println("licence: " + (licence.isEmpty() ? "not said" : licence));
                terminal.out().flush();
            }
        }

        @Override
        public void progress(String file, long done, long all) {
            if (terminal.isWatched() && !quiet.isQuiet()) {
                terminal.redraw(done == all ? "" : Amounts.bytes(done) + " of " + Amounts.bytes(all) + ", " + file);
            }
        }
    }
}
