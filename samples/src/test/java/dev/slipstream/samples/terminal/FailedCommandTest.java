package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.plan.PlanException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a command that fails prints, and its exit code. */
class FailedCommandTest {
    private static final List<Exception> OF_INPUT = List.of(new InputException("it is so"),
        new ModelException("it is so"), new GraphException("it is so"), new PlanException("it is so"),
        new NoiseSchedulerException("it is so"), new RequestException("it is so"),
        new DeviceUnavailableException("it is so"), new IllegalArgumentException("it is so"));
    private static final List<Exception> OF_WORK = List.of(new DeviceException("it is so"),
        new UncheckedIOException("it is so", new IOException("a cause")), new IOException("it is so"),
        new ArithmeticException("it is so"));

    private final StringWriter err = new StringWriter();

    @Command(name = "slipstream")
    private static final class Group {
        @Mixin
        private GeneralOptions general;
    }

    @Command(name = "work")
    private static final class Work implements Callable<Integer> {
        @Mixin
        private GeneralOptions general;

        @Parameters(paramLabel = "PROMPT", arity = "0..1")
        private String prompt;

        @Option(names = "--steps")
        private int steps;

        @Option(names = "--share")
        private double share;

        private final Exception failure;

        Work(Exception failure) {
            this.failure = failure;
        }

        @Override
        public Integer call() throws Exception {
            throw failure;
        }
    }

    @Command(name = "idle")
    private static final class Idle implements Runnable {
        @Override
        public void run() {
        }
    }

    private int run(Exception failure, String... args) {
        CommandLine line = new CommandLine(new Group());
        line.addSubcommand(new CommandLine(new Work(failure)));
        line.addSubcommand(new CommandLine(new Idle()));
        line.setErr(new PrintWriter(err));
        line.setExecutionExceptionHandler(Failures::failed);
        line.setParameterExceptionHandler(Failures::wrongUsage);
        return line.execute(args);
    }

    private String printed() {
        return err.toString().stripTrailing();
    }

    @AfterEach
    void logAsBefore() {
        Logger.getLogger("dev.slipstream").setLevel(null);
    }

    @ParameterizedTest
    @FieldSource("OF_INPUT")
    void wrongInputIsToldFromFailedWork(Exception failure) {
        assertEquals(ExitCode.WRONG_USAGE, run(failure, "work"));
        assertEquals("slipstream: it is so; try 'slipstream work --help'", printed());
    }

    @ParameterizedTest
    @FieldSource("OF_WORK")
    void failedWorkIsToldFromWrongInput(Exception failure) {
        assertEquals(ExitCode.FAILED, run(failure, "work"));
        assertEquals("slipstream: it is so; --debug tells more", printed());
    }

    @Test
    void whatIsNotForeseenHasItsName() {
        assertEquals(ExitCode.FAILED, run(new IllegalStateException("it is so"), "work"));
        assertEquals("slipstream: unexpected java.lang.IllegalStateException: it is so; --debug tells more", printed());
    }

    @Test
    void aFileThatShrinksIsNotTakenForAnyInternalError() {
        Complaints complaints = new Complaints(new PrintWriter(err), false);
        assertEquals(ExitCode.FAILED, Failures.uncaught(new InternalError("a fault"), complaints));
        assertEquals(ExitCode.FAILED, Failures.uncaught(new InternalError(), complaints));
        assertEquals(List.of("slipstream: unexpected java.lang.InternalError: a fault; --debug tells more",
            "slipstream: unexpected java.lang.InternalError; --debug tells more"), err.toString().lines().toList());
    }

    @Test
    void theReasonInsideOfFuturesIsTheReason() {
        Exception wrapped = new CompletionException(new ExecutionException(new PlanException("it is so")));
        assertEquals(ExitCode.WRONG_USAGE, run(wrapped, "work"));
        assertEquals("slipstream: it is so; try 'slipstream work --help'", printed());
    }

    @Test
    void aFutureThatFailsWithoutReasonIsTheReason() {
        assertEquals(ExitCode.FAILED, run(new CompletionException("it is so", null), "work"));
        assertEquals("slipstream: unexpected java.util.concurrent.CompletionException: it is so; --debug tells more",
            printed());
    }

    @Test
    void cancellingIsNoFailureAndSaysNothing() {
        assertEquals(ExitCode.CANCELLED, run(new CompletionException(new CancellationException("cancelled")), "work"));
        assertEquals("", printed());
    }

    @Test
    void aMessageThatSaysWhatToDoIsLeftAsItIs() {
        run(new InputException("it is so; do this"), "work");
        assertEquals("slipstream: it is so; do this", printed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"work --debug", "--debug work"})
    void debugPrintsTheTraceFromItsBeginning(String args) {
        run(new CompletionException(new PlanException("it is so")), args.split(" "));
        List<String> lines = err.toString().lines().toList();
        assertEquals("slipstream: it is so; try 'slipstream work --help'", lines.getFirst());
        assertTrue(lines.get(1).startsWith("java.util.concurrent.CompletionException"), lines.get(1));
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("\tat " + getClass().getName())), err.toString());
    }

    @Test
    void withoutDebugThereIsNoTrace() {
        run(new PlanException("it is so"), "work");
        assertEquals(1, err.toString().lines().count());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "work --stops 1       | unknown option '--stops'; did you mean --steps?",
        "work --purple        | unknown option '--purple'; try 'slipstream work --help'",
        "work a b             | unexpected argument 'b'; put the whole prompt in quotes",
        "work a b --purple    | unexpected argument 'b'; try 'slipstream work --help'",
        "work --steps many    | invalid value for option '--steps': 'many' is no whole number, or too large; "
            + "try 'slipstream work --help'",
        "work --share much    | invalid value for option '--share': 'much' is no number; try 'slipstream work --help'",
        "idle a               | unexpected argument 'a'; try 'slipstream idle --help'",
        "paint                | there is no command 'paint'; there are work, idle"})
    void wrongUsageIsOneLineThatSaysWhatToDo(String row) {
        String[] parts = row.split("\\|");
        assertEquals(ExitCode.WRONG_USAGE, run(new IllegalStateException("it ran"), parts[0].strip().split(" ")));
        assertEquals("slipstream: " + parts[1].strip(), printed());
    }

    @Test
    void aLongMessageKeepsItsBeginningAndItsEnd() {
        String longest = "x".repeat(500);
        assertEquals(longest, Failures.oneLine(longest));
        String line = Failures.oneLine("a".repeat(400) + "-" + "b".repeat(119) + "c");
        assertEquals("a".repeat(380) + " ... " + "b".repeat(119) + "c", line);
    }

    @Test
    void aMessageOfSeveralLinesBecomesOne() {
        assertEquals("one two three", Failures.oneLine("  one \n  two\r\n\nthree \n"));
    }

    @Test
    void aFailureWithoutMessageIsStillALine() {
        assertEquals("something without a name", Failures.oneLine(null));
        assertEquals("something without a name", Failures.oneLine(" \n "));
    }

    @Test
    void resultsThatCannotBeWrittenAreAFailure() {
        assertEquals(ExitCode.FAILED, Failures.unwritable(new Complaints(new PrintWriter(err), false)));
        assertEquals("slipstream: the results cannot be written to the standard output, as its disk is full or its "
            + "reader gone; send them elsewhere", printed());
    }
}
