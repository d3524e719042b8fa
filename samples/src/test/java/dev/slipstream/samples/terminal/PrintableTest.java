package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class PrintableTest {
    private static final String HOSTILE = "a\u001b[2Jb\u0007c\u009bd\u202ee\u2028f\u007fg\rh";
    private static final String SHOWN =
        "a\\u001B[2Jb\\u0007c\\u009Bd\\u202Ee\\u2028f\\u007Fg\\u000Dh";

    private final StringWriter screen = new StringWriter();
    private final Terminal terminal = new Terminal(screen, screen, () -> true);

    @Test
    void whatCommandsATerminalIsWrittenOut() {
        assertEquals(SHOWN, Printable.line(HOSTILE));
        assertEquals("plain, grün, ☃, 😀, العربية", Printable.line("plain, grün, ☃, 😀, العربية"));
        assertEquals("two\\u000Alines\\u0009", Printable.line("two\nlines\t"));
    }

    @Test
    void commandsAreEscapedToTheirBoundsAndTheirNeighboursAreShown() {
        for (String range : List.of("\u0000\u001f", "\u007f\u009f", "\u061c\u061c", "\u200e\u200f", "\u2028\u202e",
            "\u2066\u2069")) {
            for (char c = range.charAt(0); c <= range.charAt(1); c++) {
                assertEquals(String.format("a\\u%04Xb", (int) c), Printable.line("a" + c + "b"));
            }
        }
        String neighbours = " ~\u00a0\u061b\u061d\u200d\u2010\u2027\u202f\u2065\u206a";
        assertEquals(neighbours, Printable.line(neighbours));
    }

    @Test
    void onlyBeforeALineFeedIsACarriageReturnALineEnd() {
        assertEquals("a\r\nb", Printable.lines("a\r\nb"));
        assertEquals("a\\u000D", Printable.lines("a\r"));
        assertEquals("a\n\\u000Db", Printable.lines("a\n\rb"));
        assertEquals("\\u000D\r\n", Printable.lines("\r\r\n"));
    }

    @Test
    void allTextOfACommandPasses() {
        terminal.out().println(HOSTILE);
        terminal.err().print("x\r\ny\tz\n" + HOSTILE);
        terminal.err().flush();
        assertEquals(SHOWN + System.lineSeparator() + "x\r\ny\tz\n" + SHOWN, screen.toString());
    }

    @Test
    void theOnlyCommandsAreThoseOfTheProgressBar() {
        terminal.redraw("picture \u001b[2J\n");
        assertEquals("\r\u001b[Kpicture \\u001B[2J\\u000A", screen.toString());
    }

    @Test
    void jsonStaysTheSame() {
        terminal.out().println(Json.text(Map.of("name", HOSTILE)));
        assertFalse(screen.toString().chars().anyMatch(c -> Character.isISOControl(c) && c != '\n'));
        assertEquals(HOSTILE,
            JsonParser.parseString(screen.toString()).getAsJsonObject().get("name").getAsString());
    }

    @Test
    void aNameInATableKeepsItsRow() {
        Table table = new Table().left("name").right("size").row("a\nb", 1);
        assertEquals("name      size\na\\u000Ab     1\n", table.toString());
    }

    @Test
    void linesOfTheLogPass() throws IOException, ReflectiveOperationException {
        Properties config = new Properties();
        try (Reader file = Files.newBufferedReader(Path.of("../config/logging.properties"))) {
            config.load(file);
        }
        Formatter formatter = (Formatter) Class.forName(
            config.getProperty("java.util.logging.ConsoleHandler.formatter")).getConstructor().newInstance();
        LogRecord logged = new LogRecord(Level.WARNING, "{0}\nWARNING nothing");
        logged.setParameters(new Object[] {HOSTILE});
        assertTrue(formatter.format(logged).contains(SHOWN + "\\u000AWARNING nothing"));
        LogRecord thrown = new LogRecord(Level.FINE, "thrown");
        thrown.setThrown(new IOException(HOSTILE));
        assertTrue(formatter.format(thrown).contains("IOException: " + SHOWN + System.lineSeparator() + "\tat "));
    }
}
