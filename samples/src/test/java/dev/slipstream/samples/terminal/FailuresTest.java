package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What nobody expects ends in one line, too. */
class FailuresTest {
    private static String line(Throwable failure) {
        StringWriter err = new StringWriter();
        assertEquals(ExitCode.FAILED, Failures.uncaught(failure, new Complaints(new PrintWriter(err), false)));
        return err.toString().stripTrailing();
    }

    @Test
    void fullMemoryIsSaidToBeFullAndHowToGetMore() {
        assertEquals("slipstream: Java's memory is full (Java heap space); give it more, as in "
            + "JDK_JAVA_OPTIONS=-Xmx8g, or draw smaller or fewer pictures",
            line(new CompletionException(new OutOfMemoryError("Java heap space"))));
    }

    @Test
    void aFileThatShrinksUnderItsReaderIsNamed() {
        assertEquals("slipstream: a file became shorter while it was read; run the command again when nobody writes to "
            + "the model", line(new InternalError("a fault occurred in an unsafe memory access operation")));
    }

    /** What fails while the process ends, on whatever thread. */
    static final class Ending {
        public static void main(String[] args) {
            Complaints complaints = new Complaints(new PrintWriter(System.err), false);
            Runtime.getRuntime().addShutdownHook(new Thread(() ->
                Failures.uncaught(new IllegalStateException("Shutdown in progress"), complaints)));
            Failures.uncaught(new IllegalStateException("before"), complaints);
            System.exit(3);
        }
    }

    @Test
    void whatFailsBecauseTheProcessEndsIsNotSaid() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
            System.getProperty("java.class.path"), Ending.class.getName()).redirectErrorStream(true).start();
        assertEquals("slipstream: unexpected java.lang.IllegalStateException: before; --debug tells more",
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        assertEquals(3, process.waitFor());
    }

    @Test
    void otherErrorsHaveTheirName() {
        assertEquals("slipstream: unexpected java.lang.StackOverflowError; --debug tells more",
            line(new StackOverflowError()));
        assertEquals("slipstream: unexpected java.lang.NoClassDefFoundError: a/b; --debug tells more",
            line(new NoClassDefFoundError("a/b")));
    }
}
