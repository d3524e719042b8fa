package dev.slipstream.samples;

import dev.slipstream.samples.bench.BenchCommand;
import dev.slipstream.samples.bench.GraphsCommand;
import dev.slipstream.samples.bench.StepsCommand;
import dev.slipstream.samples.run.RunCommand;
import dev.slipstream.samples.verify.VerifyCommand;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code slipstream} command: finds the subcommand and runs it. */
@Command(name = "slipstream", versionProvider = Version.class,
    description = "Draws pictures with diffusion models, on several devices at once.",
    footer = {"",
        "Examples:",
        "  slipstream generate \"a large red star on a blue background\"",
        "  slipstream plan --plan asyncdiff:warmup=1 --devices 3",
        "  slipstream doctor",
        "",
        "'slipstream help COMMAND' tells more."})
public final class Main implements Callable<Integer> {
    @Option(names = {"-V", "--version"}, versionHelp = true, description = "Print the version and stop.")
    private boolean version;

    @Spec
    private CommandSpec spec;

    private Main() {
    }

    public static void main(String[] args) {
        Terminal terminal = Terminal.ofProcess();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> Failures.uncaught(failure, terminal.err()));
        // Also ends what a library may have left running.
        System.exit(execute(terminal, Arguments.whole(args)));
    }

    /**
     * Runs the command without ending the process.
     *
     * @return the exit code, see {@link ExitCode}
     */
    public static int execute(Terminal terminal, String... args) {
        CommandLine line = command(new Main());
        subcommands(terminal, args).forEach((name, object) -> line.addSubcommand(name, command(object.get())));
        line.setOut(terminal.out());
        line.setErr(terminal.err());
        line.setParameterExceptionHandler(Failures::wrongUsage);
        line.setExecutionExceptionHandler(Failures::failed);
        int code;
        try {
            code = line.execute(args);
        } catch (Error failure) {
            code = Failures.uncaught(failure, terminal.err());
        }
        if (terminal.out().checkError() && code == ExitCode.OK) {
            code = Failures.unwritable(terminal.err());
        }
        terminal.err().flush();
        return code;
    }

    private static CommandLine command(Object annotated) {
        CommandLine line = new CommandLine(annotated);
        // A prompt may begin with @.
        line.setExpandAtFiles(false);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        // HelpCommand brings its own --help.
        if (!(annotated instanceof HelpCommand)) {
            line.getCommandSpec().addMixin("general", CommandSpec.forAnnotatedObject(new GeneralOptions()));
        }
        if (annotated instanceof CommandGroup group) {
            group.subcommands().forEach((name, object) -> line.addSubcommand(name, command(object)));
        }
        if (annotated instanceof BenchCommand) {
            line.addSubcommand("steps", command(new StepsCommand()));
            line.addSubcommand("graphs", command(new GraphsCommand()));
        }
        return line;
    }

    /** Only the subcommand that is asked for, where the first word says so: reading annotations takes time. */
    private static Map<String, Supplier<Object>> subcommands(Terminal terminal, String... args) {
        Map<String, Supplier<Object>> all = new LinkedHashMap<>();
        all.put("generate", () -> new GenerateCommand(terminal));
        all.put("plan", () -> new PlanCommand(terminal));
        all.put("run", RunCommand::new);
        all.put("verify", VerifyCommand::new);
        all.put("bench", BenchCommand::new);
        all.put("model", () -> new ModelCommand(terminal));
        all.put("engines", () -> new EnginesCommand(terminal));
        all.put("doctor", () -> new DoctorCommand(terminal));
        all.put("help", HelpCommand::new);
        boolean named = args.length > 0 && all.containsKey(args[0]) && !args[0].equals("help");
        return named ? Map.of(args[0], all.get(args[0])) : all;
    }

    /** Without a subcommand there is nothing to do but to say which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.WRONG_USAGE;
    }
}
