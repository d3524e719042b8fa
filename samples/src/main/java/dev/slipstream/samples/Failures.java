package dev.slipstream.samples;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.text.PromptException;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.plan.PlanException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one line, {@code slipstream: WHAT; WHAT TO DO}, and an exit code. */
final class Failures {
    private static final int LONGEST_LINE = 500;
    /** What to do stands at the end of a message. */
    private static final int ENDING = 120;

    /** What says that the user asked for something that cannot be. */
    private static final List<Class<? extends RuntimeException>> INPUT = List.of(InputException.class,
        ModelException.class, GraphException.class, PlanException.class, NoiseSchedulerException.class,
        PromptException.class, DeviceUnavailableException.class, IllegalArgumentException.class);
    /** What explains itself, too, but was nobody's mistake. */
    private static final List<Class<? extends Exception>> WORK = List.of(DeviceException.class,
        UncheckedIOException.class, IOException.class, ArithmeticException.class);

    private Failures() {
    }

    static int wrongUsage(ParameterException wrong, String... args) {
        CommandLine line = wrong.getCommandLine();
        complain(line.getErr(), oneLine(wrong instanceof UnmatchedArgumentException unmatched ? unmatched(unmatched)
            : inWords(wrong.getMessage())), remedy(wrong));
        return ExitCode.WRONG_USAGE;
    }

    /** The first word that nothing takes; the others may be its values. */
    private static String unmatched(UnmatchedArgumentException wrong) {
        String word = wrong.getUnmatched().getFirst();
        Set<String> commands = wrong.getCommandLine().getSubcommands().keySet();
        return word.startsWith("-") ? "unknown option '" + word + "'"
            : commands.isEmpty() ? "unexpected argument '" + word + "'"
            : "there is no command '" + word + "'; there are " + String.join(", ", commands);
    }

    /** As the parser says it, without its names of types, and like our own in the middle of a line. */
    private static String inWords(String parsers) {
        String what = parsers.strip().replaceFirst("^Error: ", "").replaceFirst("\\.$", "")
            .replaceFirst("is not an? (int|long)$", "is no whole number, or too large")
            .replaceFirst("is not an? (double|float)$", "is no number");
        return Character.isUpperCase(what.charAt(0)) && Character.isLowerCase(what.charAt(1))
            ? Character.toLowerCase(what.charAt(0)) + what.substring(1) : what;
    }

    private static String remedy(ParameterException wrong) {
        if (wrong instanceof UnmatchedArgumentException unmatched && !unmatched.getSuggestions().isEmpty()) {
            return "did you mean " + String.join(" or ", unmatched.getSuggestions()) + "?";
        }
        boolean words = wrong instanceof UnmatchedArgumentException unmatched
            && unmatched.getUnmatched().stream().noneMatch(argument -> argument.startsWith("-"));
        boolean prompted = wrong.getCommandLine().getCommandSpec().positionalParameters().stream()
            .anyMatch(parameter -> parameter.paramLabel().equals("PROMPT"));
        return words && prompted ? "put the whole prompt in quotes" : help(wrong.getCommandLine());
    }

    static int failed(Exception thrown, CommandLine line, ParseResult parsed) {
        Throwable failure = unwrapped(thrown);
        int code;
        if (failure instanceof CancellationException) {
            // Who cancelled knows it; see Interruption.
            code = ExitCode.CANCELLED;
        } else if (INPUT.stream().anyMatch(kind -> kind.isInstance(failure))) {
            complain(line.getErr(), oneLine(failure.getMessage()), help(line));
            code = ExitCode.WRONG_USAGE;
        } else {
            code = unexpected(failure, line.getErr());
        }
        if (isDebug(line) && !isEnding()) {
            thrown.printStackTrace(line.getErr());
        }
        return code;
    }

    private static int unexpected(Throwable failure, PrintWriter err) {
        boolean known = WORK.stream().anyMatch(kind -> kind.isInstance(failure));
        String what = switch (failure) {
            case OutOfMemoryError memory -> "Java's memory is full (" + memory.getMessage() + "); give it more, as in "
                + "JDK_JAVA_OPTIONS=-Xmx8g, or draw smaller or fewer pictures";
            case InternalError mapped when mapped.getMessage() != null && mapped.getMessage().contains("memory access")
                -> "a file became shorter while it was read; run the command again when nobody writes to the model";
            default -> known ? failure.getMessage() : "unexpected " + failure;
        };
        complain(err, oneLine(what), "--debug tells more");
        return ExitCode.FAILED;
    }

    /** What no command has caught, on whatever thread. @return the exit code */
    static int uncaught(Throwable thrown, PrintWriter err) {
        int code = unexpected(unwrapped(thrown), err);
        err.flush();
        return code;
    }

    /** Nobody gets to see the results. @return the exit code */
    static int unwritable(PrintWriter err) {
        complain(err, "the results cannot be written to the standard output, as its disk is full or its reader gone",
            "send them elsewhere");
        return ExitCode.FAILED;
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable failure = thrown;
        while ((failure instanceof CompletionException || failure instanceof ExecutionException)
            && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }

    /** Also before the name of the subcommand. */
    private static boolean isDebug(CommandLine line) {
        return line != null && (line.getCommandSpec().mixins().values().stream().map(CommandSpec::userObject)
            .anyMatch(mixin -> mixin instanceof GeneralOptions general && general.isDebug())
            || isDebug(line.getParent()));
    }

    private static String help(CommandLine line) {
        return "try '" + line.getCommandSpec().qualifiedName() + " --help'";
    }

    /** @param remedy for messages that do not bring their own */
    private static void complain(PrintWriter err, String what, String remedy) {
        if (!isEnding()) {
            err.println("slipstream: " + what + (what.contains("; ") ? "" : "; " + remedy));
        }
    }

    /**
     * Whether a signal ends the process: what fails from then on, such as loading a library or writing into a folder
     * that is being deleted, fails because of that, and who sent the signal knows it.
     */
    private static boolean isEnding() {
        Thread never = new Thread(() -> {
        });
        try {
            Runtime.getRuntime().addShutdownHook(never);
            Runtime.getRuntime().removeShutdownHook(never);
            return false;
        } catch (IllegalStateException ending) {
            return true;
        }
    }

    /** A message in one line that a terminal can show: a prompt or a list inside it may be very long. */
    static String oneLine(String message) {
        if (message == null || message.isBlank()) {
            return "something without a name";
        }
        String line = message.strip().replaceAll("\\s*\\R\\s*", " ");
        return line.length() <= LONGEST_LINE ? line
            : line.substring(0, LONGEST_LINE - ENDING) + " ... " + line.substring(line.length() - ENDING);
    }
}
