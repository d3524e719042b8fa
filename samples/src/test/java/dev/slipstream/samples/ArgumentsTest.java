package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Command lines as Linux has them, beside what Java makes of them without a locale. */
class ArgumentsTest {
    private static String[] whole(String line, String... args) {
        return Arguments.whole(line.replace('|', '\0').getBytes(StandardCharsets.UTF_8), args);
    }

    @Test
    void charactersThatJavaLostAreThere() {
        assertArrayEquals(new String[] {"generate", "größe ☃", "--steps", "1"},
            whole("java|-jar|x.jar|generate|größe ☃|--steps|1|", "generate", "gr??e ???", "--steps", "1"));
        assertArrayEquals(new String[] {"generate", ""}, whole("java|Main|generate||", "generate", ""));
        assertArrayEquals(new String[0], whole("java|Main|"));
    }

    @Test
    void aLineThatIsNotThatOfTheArgumentsIsLeft() {
        String[] args = {"generate", "gr??e"};
        assertArrayEquals(args, whole("java|@options|", args));
        assertArrayEquals(args, whole("java|Main|other|größe|", args));
        assertArrayEquals(args, whole("größe|", args));
    }
}
