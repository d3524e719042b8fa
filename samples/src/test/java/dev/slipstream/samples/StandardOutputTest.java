package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A standard output that takes nothing, as on a full disk or where the reader is gone. */
class StandardOutputTest {
    /** Fails where the bytes would leave the process. */
    private static final class Full extends Writer {
        @Override
        public void write(char[] text, int from, int length) {
        }

        @Override
        public void flush() throws IOException {
            throw new IOException("No space left on device");
        }

        @Override
        public void close() {
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plan --model MODEL", "plan --model MODEL --json", "plan --model MODEL --dot", "help",
        "help plan", "--version", "plan --help", "engines list --json", "doctor --model MODEL"})
    void resultsThatNobodyGetsAreAFailure(String line) {
        StringWriter err = new StringWriter();
        int code = Main.execute(new Terminal(new Full(), err, () -> false),
            line.replace("MODEL", CommandRun.MODEL.toString()).split(" "));
        assertEquals(ExitCode.FAILED, code);
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains("cannot be written to the standard output"), err.toString());
    }

    @Test
    void whatWasWrongBeforeKeepsItsCode() {
        StringWriter err = new StringWriter();
        assertEquals(ExitCode.WRONG_USAGE, Main.execute(new Terminal(new Full(), err, () -> false), "plan", "--steps"));
        assertEquals(1, err.toString().lines().count(), err.toString());
    }
}
