package dev.slipstream.samples.terminal;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.SlipstreamException;
import dev.slipstream.bridge.SlipstreamException.Fault;
import dev.slipstream.samples.settings.Settings;
import java.io.IOException;
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
public final class Failures {
    private static final int LONGEST_LINE = 500;
    /** How much of the end of a long message is kept: what to do stands there. */
    private static final int ENDING = 120;

    /** Failures with a message for users, too, but not caused by the input. */
    private static final List<Class<? extends Exception>> WORK = List.of(DeviceException.class,
        UncheckedIOException.class, IOException.class, ArithmeticException.class);

    private Failures() {
    }

    public static int wrongUsage(ParameterException wrong, String... args) {
        CommandLine line = wrong.getCommandLine();
        CommandSpec command = line.getCommandSpec();
        String what = oneLine(wrong instanceof UnmatchedArgumentException unmatched ? unmatched(unmatched)
            : inWords(wrong.getMessage()));
        complain(Complaints.of(line, List.of(args)), what + Settings.blame(command,
            option -> !option.equals(wrong.getArgSpec()), what), remedy(wrong), ExitCode.WRONG_USAGE, wrong, false);
        return ExitCode.WRONG_USAGE;
    }

    /** Names the first word that was not understood; later ones may be its values. */
    private static String unmatched(UnmatchedArgumentException wrong) {
        String word = wrong.getUnmatched().getFirst();
        Set<String> commands = wrong.getCommandLine().getSubcommands().keySet();
        return word.startsWith("-") ? "unknown option '" + word + "'"
            : commands.isEmpty() ? "unexpected argument '" + word + "'"
            : "there is no command '" + word + "'; there are " + String.join(", ", commands);
    }

    /** The parser's message without names of Java types, starting in lower case like our own. */
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

    public static int failed(Exception thrown, CommandLine line, ParseResult parsed) {
        Throwable failure = unwrapped(thrown);
        Complaints complaints = Complaints.of(line, parsed.originalArgs());
        boolean traced = isDebug(line);
        if (failure instanceof CancellationException) {
            // Interruption has told the user.
            return ExitCode.CANCELLED;
        }
        if (isOfInput(failure)) {
            String what = oneLine(failure.getMessage());
            complain(complaints, what + Settings.blame(line.getCommandSpec(),
                line.getParseResult()::hasMatchedOption, what), help(line), ExitCode.WRONG_USAGE, thrown, traced);
            return ExitCode.WRONG_USAGE;
        }
        return unexpected(thrown, complaints, traced);
    }

    /** Whether the cause is what the user asked for, or the files that he gave. */
    private static boolean isOfInput(Throwable failure) {
        return switch (failure) {
            case IllegalArgumentException argument -> true;
            case DeviceException device -> device.fault() == Fault.CALLER;
            case SlipstreamException known -> known.fault() == Fault.CALLER || known.fault() == Fault.MODEL;
            default -> false;
        };
    }

    private static int unexpected(Throwable thrown, Complaints complaints, boolean traced) {
        Throwable failure = unwrapped(thrown);
        boolean known = WORK.stream().anyMatch(kind -> kind.isInstance(failure));
        String what = switch (failure) {
            case OutOfMemoryError memory -> "Java's memory is full (" + memory.getMessage() + "); give it more, as in "
                + "JDK_JAVA_OPTIONS=-Xmx8g, or draw smaller or fewer pictures";
            case InternalError mapped when mapped.getMessage() != null && mapped.getMessage().contains("memory access")
                -> "a file became shorter while it was read; run the command again when nobody writes to the model";
            default -> known ? failure.getMessage() : "unexpected " + failure;
        };
        complain(complaints, oneLine(what), "--debug tells more", ExitCode.FAILED, thrown, traced);
        return ExitCode.FAILED;
    }

    /** Reports what no command has caught, on any thread. @return the exit code */
    public static int uncaught(Throwable thrown, Complaints complaints) {
        return unexpected(thrown, complaints, false);
    }

    /** Reports that the results could not be written. @return the exit code */
    public static int unwritable(Complaints complaints) {
        complain(complaints, "the results cannot be written to the standard output, as its disk is full or its reader "
            + "gone", "send them elsewhere", ExitCode.FAILED, null, false);
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

    /** Whether there is a {@code --debug}, here or before the name of the subcommand. */
    private static boolean isDebug(CommandLine line) {
        return line != null && (line.getCommandSpec().mixins().values().stream().map(CommandSpec::userObject)
            .anyMatch(mixin -> mixin instanceof GeneralOptions general && general.isDebug())
            || isDebug(line.getParent()));
    }

    private static String help(CommandLine line) {
        return "try '" + line.getCommandSpec().qualifiedName() + " --help'";
    }

    /** @param remedy what to do, for messages that do not say it */
    private static void complain(Complaints complaints, String what, String remedy, int code, Throwable failure,
        boolean traced) {
        if (!isEnding()) {
            complaints.error(what + (what.contains("; ") ? "" : "; " + remedy), code, failure, traced);
        }
    }

    /**
     * Whether a signal ends the process: what fails from then on, such as loading a library or writing into a folder
     * that is being deleted, fails because of that, and need not be reported.
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

    /** A message as one line, shortened in the middle if a prompt or a list makes it very long. */
    public static String oneLine(String message) {
        if (message == null || message.isBlank()) {
            return "something without a name";
        }
        String line = message.strip().replaceAll("\\s*\\R\\s*", " ");
        return line.length() <= LONGEST_LINE ? line
            : line.substring(0, LONGEST_LINE - ENDING) + " ... " + line.substring(line.length() - ENDING);
    }
}
