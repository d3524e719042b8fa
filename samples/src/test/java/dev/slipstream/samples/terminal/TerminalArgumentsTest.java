package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Command lines as Linux has them, beside what Java makes of them without a locale. */
class TerminalArgumentsTest {
    private static String[] arguments(String line, String... args) {
        return Terminal.arguments(line.replace('|', '\0').getBytes(StandardCharsets.UTF_8), args);
    }

    @Test
    void charactersThatJavaLostAreThere() {
        assertArrayEquals(new String[] {"generate", "größe ☃", "--steps", "1"},
            arguments("java|-jar|x.jar|generate|größe ☃|--steps|1|", "generate", "gr??e ???", "--steps", "1"));
        assertArrayEquals(new String[] {"generate", ""}, arguments("java|Main|generate||", "generate", ""));
        assertArrayEquals(new String[0], arguments("java|Main|"));
        assertArrayEquals(new String[] {"größe"}, arguments("größe|", "gr??e"));
        assertArrayEquals(new String[] {"\u0080"}, arguments("java|\u0080|", "??"));
    }

    @Test
    void aLineThatIsNotThatOfTheArgumentsIsLeft() {
        String[] args = {"generate", "gr??e"};
        assertArrayEquals(args, arguments("java|@options|", args));
        assertArrayEquals(args, arguments("java|Main|other|größe|", args));
        assertArrayEquals(args, arguments("größe|", args));
    }
}
