package dev.slipstream.samples;

import dev.slipstream.samples.bench.BenchCommand;
import dev.slipstream.samples.bench.BenchGraphsCommand;
import dev.slipstream.samples.bench.BenchStepsCommand;
import dev.slipstream.samples.calibrate.CalibrateCommand;
import dev.slipstream.samples.doctor.DoctorCommand;
import dev.slipstream.samples.engines.EnginesBuildCommand;
import dev.slipstream.samples.engines.EnginesClearCommand;
import dev.slipstream.samples.engines.EnginesCommand;
import dev.slipstream.samples.engines.EnginesListCommand;
import dev.slipstream.samples.generate.GenerateCommand;
import dev.slipstream.samples.latents.CacheCalibrateCommand;
import dev.slipstream.samples.latents.CacheClearCommand;
import dev.slipstream.samples.latents.CacheCommand;
import dev.slipstream.samples.latents.CacheListCommand;
import dev.slipstream.samples.latents.CacheStatsCommand;
import dev.slipstream.samples.latents.CacheVerifyCommand;
import dev.slipstream.samples.model.ModelCommand;
import dev.slipstream.samples.model.ModelConvertCommand;
import dev.slipstream.samples.model.ModelCutsCommand;
import dev.slipstream.samples.model.ModelPullCommand;
import dev.slipstream.samples.model.ModelShowCommand;
import dev.slipstream.samples.plan.PlanCommand;
import dev.slipstream.samples.predict.PredictCommand;
import dev.slipstream.samples.predict.ProfileCommand;
import dev.slipstream.samples.run.RunCommand;
import dev.slipstream.samples.schema.SchemaCommand;
import dev.slipstream.samples.settings.Settings;
import dev.slipstream.samples.shell.CompletionCommand;
import dev.slipstream.samples.shell.ShareCommand;
import dev.slipstream.samples.terminal.Complaints;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Failures;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import dev.slipstream.samples.verify.VerifyCommand;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code slipstream} command: finds the subcommand and runs it. */
@Command(name = "slipstream", versionProvider = Main.Version.class,
    description = "Draws pictures with diffusion models, on several devices at once.",
    footer = {"",
        "Examples:",
        "  slipstream generate \"a large red star on a blue background\"",
        "  slipstream plan --plan asyncdiff:warmup=1 --devices 3",
        "  slipstream doctor",
        "",
        "'slipstream help COMMAND' tells more."})
public final class Main implements Callable<Integer> {
    private static final Set<String> VERSION = Set.of("-V", "--version");

    @Option(names = {"-V", "--version"}, versionHelp = true, order = HelpLayout.GENERAL + 3,
        description = "Print the version and stop.")
    private boolean version;

    @Spec
    private CommandSpec spec;

    private Main() {
    }

    public static void main(String[] args) {
        Terminal terminal = Terminal.ofProcess();
        Complaints complaints = terminal.complaints(Complaints.isJson(List.of(args)));
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> Failures.uncaught(failure, complaints));
        // Also ends threads that a library may have left running.
        System.exit(execute(terminal, Terminal.arguments(args)));
    }

    /**
     * Runs the command without ending the process.
     *
     * @return the exit code, see {@link ExitCode}
     */
    public static int execute(Terminal terminal, String... args) {
        Map<String, Supplier<Object>> commands = commands(terminal);
        CommandLine line = line(commands, name -> isWanted(name, commands.keySet(), args));
        line.setDefaultValueProvider(Settings.of(terminal.environment(), List.of(args), commands.keySet(),
            () -> whole(terminal)));
        line.setOut(terminal.out());
        line.setErr(terminal.err());
        line.setParameterExceptionHandler(Failures::wrongUsage);
        line.setExecutionExceptionHandler(Failures::failed);
        Complaints complaints = terminal.complaints(Complaints.isJson(List.of(args)));
        int code;
        try {
            code = line.execute(args);
        } catch (Error failure) {
            code = Failures.uncaught(failure, complaints);
        }
        if (terminal.out().checkError() && code == ExitCode.OK) {
            code = Failures.unwritable(complaints);
        }
        terminal.err().flush();
        return code;
    }

    /** Only the subcommand that the first word names, or none for the version, or else all: reading them takes time. */
    private static boolean isWanted(String name, Set<String> all, String... args) {
        boolean named = args.length > 0 && (all.contains(args[0]) && !args[0].equals("help")
            || args.length == 1 && VERSION.contains(args[0]));
        return !named || name.equals(args[0]) || name.startsWith(args[0] + " ");
    }

    /** The command with all of its subcommands. */
    static CommandLine whole(Terminal terminal) {
        return line(commands(terminal), name -> true);
    }

    /** All commands by their names: objects with picocli's annotations. Those of a group come behind it. */
    private static Map<String, Supplier<Object>> commands(Terminal terminal) {
        Map<String, Supplier<Object>> all = new LinkedHashMap<>();
        all.put("generate", () -> new GenerateCommand(terminal));
        all.put("plan", () -> new PlanCommand(terminal));
        all.put("predict", () -> new PredictCommand(terminal));
        all.put("profile", () -> new ProfileCommand(terminal));
        all.put("run", () -> new RunCommand(terminal));
        all.put("verify", () -> new VerifyCommand(terminal));
        all.put("bench", () -> new BenchCommand(terminal));
        all.put("bench steps", () -> new BenchStepsCommand(terminal));
        all.put("bench graphs", () -> new BenchGraphsCommand(terminal));
        all.put("calibrate", () -> new CalibrateCommand(terminal));
        all.put("model", ModelCommand::new);
        all.put("model init", () -> new ModelCommand.Init(terminal));
        all.put("model show", () -> new ModelShowCommand(terminal));
        all.put("model cuts", () -> new ModelCutsCommand(terminal));
        all.put("model convert", () -> new ModelConvertCommand(terminal));
        all.put("model pull", () -> new ModelPullCommand(terminal));
        all.put("engines", EnginesCommand::new);
        all.put("engines list", () -> new EnginesListCommand(terminal));
        all.put("engines build", () -> new EnginesBuildCommand(terminal));
        all.put("engines clear", () -> new EnginesClearCommand(terminal));
        all.put("cache", CacheCommand::new);
        all.put("cache list", () -> new CacheListCommand(terminal));
        all.put("cache stats", () -> new CacheStatsCommand(terminal));
        all.put("cache verify", () -> new CacheVerifyCommand(terminal));
        all.put("cache calibrate", () -> new CacheCalibrateCommand(terminal));
        all.put("cache clear", () -> new CacheClearCommand(terminal));
        all.put("doctor", () -> new DoctorCommand(terminal));
        all.put("schema", () -> new SchemaCommand(terminal));
        all.put("completion", () -> new CompletionCommand(terminal, () -> whole(terminal)));
        all.put("share", () -> new ShareCommand(terminal, () -> whole(terminal)));
        all.put("help", () -> new Help(terminal));
        return all;
    }

    private static CommandLine line(Map<String, Supplier<Object>> commands, Predicate<String> wanted) {
        CommandLine root = command(new Main());
        commands.forEach((name, command) -> {
            if (wanted.test(name)) {
                int space = name.indexOf(' ');
                CommandLine group = space < 0 ? root : root.getSubcommands().get(name.substring(0, space));
                group.addSubcommand(name.substring(space + 1), command(command.get()));
            }
        });
        return root;
    }

    /** @param annotated an object with picocli's annotations */
    private static CommandLine command(Object annotated) {
        CommandLine line = new CommandLine(annotated);
        // A prompt may begin with @.
        line.setExpandAtFiles(false);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        HelpLayout.apply(line);
        line.getCommandSpec().addMixin("general", CommandSpec.forAnnotatedObject(new GeneralOptions()));
        return line;
    }

    /** Without a subcommand it prints which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.WRONG_USAGE;
    }

    /** Prints what {@code --help} prints. */
    @Command(name = "help", description = "Prints the help of a command.",
        footer = {"", "Examples:", "  slipstream help generate", "  slipstream help bench steps"})
    static final class Help implements Callable<Integer> {
        private final Terminal terminal;

        @Parameters(paramLabel = "COMMAND", arity = "0..*",
            description = "The command, as in 'bench steps'. Without it all commands are listed.")
        private List<String> words = List.of();

        @Spec
        private CommandSpec spec;

        Help(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            CommandLine line = spec.commandLine().getParent();
            for (String word : words) {
                Map<String, CommandLine> below = line.getSubcommands();
                if (!below.containsKey(word)) {
                    throw new InputException("there is no command '" + word + "'"
                        + (line.getParent() == null ? "" : " of " + line.getCommandName())
                        + (below.isEmpty() ? "" : "; there are " + String.join(", ", below.keySet())));
                }
                line = below.get(word);
            }
            line.usage(terminal.out());
            return ExitCode.OK;
        }
    }

    /** The version of Slipstream and of Java. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            // Classes outside of a jar have no version.
            String number = Main.class.getPackage().getImplementationVersion();
            return new String[] {"slipstream " + (number == null ? "development" : number),
                "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " "
                    + System.getProperty("os.arch")};
        }
    }
}
