package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TerminalTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** What a line needs to be seen. */
    private static final class Counting extends StringWriter {
        private int flushed;

        @Override
        public void flush() {
            flushed++;
        }
    }

    @Test
    void eachWarningIsPrintedOnce() {
        Consumer<String> warnings = new Terminal(out, err, () -> false).warnings(false);
        List.of("one", "two", "one", "three\nlines", "two").forEach(warnings);
        assertEquals(List.of("slipstream: warning: one", "slipstream: warning: two",
            "slipstream: warning: three\\u000Alines"), err.toString().lines().toList());
        assertEquals("", out.toString());
    }

    @Test
    void eachPrinterOfWarningsBeginsAnew() {
        Terminal terminal = new Terminal(out, err, () -> false);
        terminal.warnings(false).accept("one");
        terminal.warnings(false).accept("one");
        assertEquals(2, err.toString().lines().count());
    }

    @Test
    void aLineThatIsDrawnAnewTakesThePlaceOfTheOneBeforeAndIsSeenAtOnce() {
        Counting screen = new Counting();
        Terminal terminal = new Terminal(out, screen, () -> true);
        terminal.redraw("1/2");
        terminal.redraw("2/2\033[2J");
        assertEquals("\r\033[K1/2\r\033[K2/2\\u001B[2J", screen.toString());
        assertEquals(2, screen.flushed);
        assertEquals("", out.toString());
    }

    @Test
    void whetherItIsWatchedIsAskedWhenItMatters() {
        AtomicBoolean watched = new AtomicBoolean();
        Terminal terminal = new Terminal(out, err, watched::get);
        assertEquals(false, terminal.isWatched());
        watched.set(true);
        assertEquals(true, terminal.isWatched());
    }

    @Test
    void bothStreamsEscapeWhatMovesTheCursorAndPassOnFlushes() {
        Counting screen = new Counting();
        Terminal terminal = new Terminal(screen, err, () -> false);
        terminal.out().print("a\033b\n");
        terminal.out().flush();
        terminal.err().println("c\033d");
        assertEquals("a\\u001Bb\n", screen.toString());
        assertEquals(1, screen.flushed);
        assertEquals("c\\u001Bd", err.toString().stripTrailing());
    }

    private record Row(String planName, double wallMs) {
    }

    @Test
    void jsonHasTheNamesOfTheRecordOrSnakeCase() {
        assertEquals("{\n  \"schema_version\": 1,\n  \"planName\": \"<a>\",\n  \"wallMs\": 1.5\n}",
            Json.text(new Row("<a>", 1.5)));
        assertEquals(
            "[\n  {\n    \"schema_version\": 1,\n    \"plan_name\": \"<a>\",\n    \"wall_ms\": 1.5\n  }\n]",
            Json.snakeCase(List.of(new Row("<a>", 1.5))));
    }

    @Test
    void aTableAlignsNamesLeftAndNumbersRight() throws IOException {
        Table table = new Table().left("name").right("n").left("").row("a", Table.number("%.1f", 10), "")
            .row("longer", 2, "x");
        assertEquals("name       n\na       10.0\nlonger     2  x\n", table.toString());
    }
}
