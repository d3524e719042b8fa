package dev.slipstream.samples.model;

import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.init.ModelTemplate.WrittenPart;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.terminal.Amounts;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Json;
import dev.slipstream.samples.terminal.Table;
import dev.slipstream.samples.terminal.Terminal;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The group of commands about model folders; by itself it does nothing. */
@Command(name = "model", description = "Makes, shows, cuts, converts and fetches models.",
    footer = {"",
        "Example:",
        "  slipstream model init --like sdxl --tiny tiny-sdxl",
        "",
        "'slipstream model COMMAND --help' tells more."})
public final class ModelCommand {
    /** Makes a model. */
    @Command(name = "init", customSynopsis = "slipstream model init --like FAMILY [OPTIONS] DIR",
        description = {
            "Writes a model folder with random weights, in the layout of diffusers.",
            "Its pictures show nothing, but every part of a pipeline can be tried with it: a tiny one within seconds, "
                + "and one of real size to find out what a machine can hold."},
        footer = {"",
            "Examples:",
            "  slipstream model init --like sdxl --tiny tiny-sdxl",
            "  slipstream model init --like sd15 --tiny --type bf16 --seed 3 tiny-bf16",
            "  slipstream model init --like sdxl --hollow hollow-sdxl"})
    public static final class Init implements Callable<Integer> {
        private final Terminal terminal;

        @Parameters(paramLabel = "DIR", description = "The folder: a new one, or an empty one.")
        private Path folder;

        @Option(names = "--like", paramLabel = "FAMILY", required = true, order = HelpLayout.OWN + 1,
            completionCandidates = Families.class,
            description = "What it is made like: ${COMPLETION-CANDIDATES}. ControlNets and taesd are for other models.")
        private String family;

        @Option(names = "--tiny", order = HelpLayout.OWN + 2,
            description = "Few channels and layers in the family's blocks, 1 MB in all. Without it the family's real "
                + "sizes, which are gigabytes.")
        private boolean tiny;

        @Option(names = "--type", paramLabel = "TYPE", order = HelpLayout.OWN + 3,
            completionCandidates = Types.class,
            description = "Of the weights: f32, f16 or bf16. Without it f32 for tiny models, else f16.")
        private String type;

        @Option(names = "--seed", paramLabel = "N", order = HelpLayout.OWN + 4, defaultValue = "0",
            description = "Of the weights.")
        private long seed;

        @Option(names = "--hollow", order = HelpLayout.OWN + 5,
            description = "Holes in place of weights, which are 0: real sizes in a moment and hardly any disk, for "
                + "plan and cuts. Pictures fail or are blank.")
        private boolean hollow;

        @Option(names = "--json", order = HelpLayout.OUTPUT, description = "Print what was written as one JSON object.")
        private boolean json;

        private static final class Families implements Iterable<String> {
            @Override
            public Iterator<String> iterator() {
                return ModelFamily.ids().iterator();
            }
        }

        private static final class Types implements Iterable<String> {
            @Override
            public Iterator<String> iterator() {
                return ModelTemplate.TYPES.stream().map(type -> type.name().toLowerCase(Locale.ROOT)).iterator();
            }
        }

        public Init(Terminal terminal) {
            this.terminal = terminal;
        }

        @Mixin
        private QuietOption quiet;

        private record Result(String folder, String family, boolean tiny, List<WrittenPart> parts) {
        }

        @Override
        public Integer call() {
            ModelTemplate template = ModelTemplate.of(ModelFamily.of(family), tiny).withSeed(seed);
            ModelTemplate typed = type == null ? template : template.withType(stored(type));
            List<WrittenPart> parts = (hollow ? typed.hollowed() : typed).write(folder);
            if (json) {
                terminal.out().println(Json.text(new Result(folder.toString(), family, tiny, parts)));
            } else if (!quiet.isQuiet()) {
                terminal.out().println(text(parts));
            }
            return ExitCode.OK;
        }

        private static StoredType stored(String type) {
            // --precision calls them fp16 and fp32.
            String name = type.toUpperCase(Locale.ROOT).replaceFirst("^FP", "F");
            return ModelTemplate.TYPES.stream().filter(it -> it.name().equals(name)).findFirst()
                .orElseThrow(() -> new InputException("--type takes f32, f16 or bf16, not " + type
                    + "; leave it out for the usual one"));
        }

        private String text(List<WrittenPart> parts) {
            Table table = new Table().left("folder").left("class").right("parameters").right("size");
            for (WrittenPart part : parts) {
                boolean weights = part.parameters() > 0;
                table.row(part.name(), part.className(),
                    weights ? String.format(Locale.ROOT, "%,d", part.parameters()) : "",
                    weights ? Amounts.bytes(part.bytes()) : "");
            }
            return table + System.lineSeparator() + Amounts.bytes(parts.stream().mapToLong(WrittenPart::bytes).sum())
                + (hollow ? " of holes in " : " of random weights in ") + folder;
        }
    }
}
