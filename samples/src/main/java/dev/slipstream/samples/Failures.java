package dev.slipstream.samples;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.pipelines.diffusion.NoiseSchedulerException;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.plan.PlanException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns what went wrong into one line, {@code slipstream: WHAT; WHAT TO DO}, and an exit code. */
final class Failures {
    private Failures() {
    }

    static int wrongUsage(ParameterException wrong, String... args) {
        CommandLine line = wrong.getCommandLine();
        String what = oneLine(wrong.getMessage());
        complain(line.getErr(), Character.toLowerCase(what.charAt(0)) + what.substring(1), help(line));
        return ExitCode.WRONG_USAGE;
    }

    static int failed(Exception thrown, CommandLine line, ParseResult parsed) {
        Throwable failure = unwrapped(thrown);
        boolean debug = isDebug(line);
        int code = switch (failure) {
            case CancellationException cancelled -> {
                complain(line.getErr(), "cancelled", "nothing unfinished was written");
                yield ExitCode.CANCELLED;
            }
            case InputException input -> complainOfInput(failure, line);
            case DeviceUnavailableException unavailable -> complainOfInput(failure, line);
            case ModelException model -> complainOfInput(failure, line);
            case GraphException graph -> complainOfInput(failure, line);
            case PlanException plan -> complainOfInput(failure, line);
            case NoiseSchedulerException scheduler -> complainOfInput(failure, line);
            case IllegalArgumentException request -> complainOfInput(failure, line);
            case DeviceException device -> complainOfWork(oneLine(failure.getMessage()), line);
            case UncheckedIOException io -> complainOfWork(oneLine(failure.getMessage()), line);
            case IOException io -> complainOfWork(oneLine(failure.getMessage()), line);
            case ArithmeticException notFinite -> complainOfWork(oneLine(failure.getMessage()), line);
            case OutOfMemoryError memory -> complainOfWork("no memory left (" + failure.getMessage() + ")", line);
            default -> complainOfWork("unexpected " + oneLine(failure.toString()), line);
        };
        if (debug) {
            thrown.printStackTrace(line.getErr());
        }
        return code;
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable failure = thrown;
        while ((failure instanceof CompletionException || failure instanceof ExecutionException)
            && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }

    private static boolean isDebug(CommandLine line) {
        return line.getCommandSpec().mixins().values().stream().map(mixin -> mixin.userObject())
            .anyMatch(mixin -> mixin instanceof GeneralOptions general && general.isDebug());
    }

    private static int complainOfInput(Throwable input, CommandLine line) {
        complain(line.getErr(), oneLine(input.getMessage()), help(line));
        return ExitCode.WRONG_USAGE;
    }

    private static int complainOfWork(String what, CommandLine line) {
        complain(line.getErr(), what, "--debug tells more");
        return ExitCode.FAILED;
    }

    private static String help(CommandLine line) {
        return "try '" + line.getCommandSpec().qualifiedName() + " --help'";
    }

    /** @param remedy for messages that do not bring their own */
    private static void complain(PrintWriter err, String what, String remedy) {
        err.println("slipstream: " + what + (what.contains("; ") ? "" : "; " + remedy));
    }

    private static String oneLine(String message) {
        return message == null || message.isBlank() ? "something without a name" : message.strip()
            .replaceAll("\\s*\\R\\s*", " ");
    }
}
