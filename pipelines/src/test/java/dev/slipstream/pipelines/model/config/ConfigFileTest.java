package dev.slipstream.pipelines.model.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    @TempDir
    private Path folder;

    private ConfigFile read(String contents) throws IOException {
        return ConfigFile.read(Files.writeString(folder.resolve("config.json"), contents));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {             | ends too early
        ''            | ends too early
        {"a": tru}    | malformed at line 1 column
        {"a": 1,}     | Expected name at line 1 column 10
        {a: 1}        | malformed at line 1 column 3
        {"a": 1} x    | at line 1 column
        {"a": 1 "b"}  | Unterminated object at line 1 column
        [1]           | must hold a JSON object
        {"a":1, "a":1}         | "a" comes twice at line 1 column
        {"b":{"a":1, "a":2}}   | "a" comes twice at line 1 column
        {"b":[[{"a":1,"a":2}]]} | "a" comes twice at line 1 column
        {"a":1, "\u0061":2}   | "a" comes twice at line 1 column
        """)
    void saysWhatIsWrongAndWhere(String contents, String expected) {
        String message = assertThrows(ModelException.class, () -> read(contents)).getMessage();
        assertTrue(message.contains("config.json") && message.contains(expected), message);
        assertFalse(message.contains("github.com") || message.contains("setStrictness"), message);
    }

    @Test
    void countsLines() {
        String message = assertThrows(ModelException.class, () -> read("{\n  \"a\": 1\n  \"b\": 2}")).getMessage();
        assertTrue(message.contains("at line 3"), message);
    }

    @Test
    void refusesWhatIsTooDeepOrNoText() {
        String deep = "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertTrue(assertThrows(ModelException.class, () -> read(deep)).getMessage().contains("Nesting limit"));
        Path file = folder.resolve("latin.json");
        assertTrue(assertThrows(ModelException.class, () -> {
            Files.write(file, new byte[] {'{', (byte) 0xE9, '}'});
            ConfigFile.read(file);
        }).getMessage().contains("not UTF-8"));
    }

    @Test
    void refusesWhatIsLargerThanAnyConfiguration() throws IOException {
        Path file = folder.resolve("large.json");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        assertTrue(assertThrows(ModelException.class, () -> ConfigFile.read(file)).getMessage()
            .contains("is too large: it has " + (1L << 40) + " bytes"));
    }

    @Test
    void refusesNumbersThatAreNone() throws IOException {
        for (String number : new String[] {"1e999999999", "-1e999999999", "9".repeat(2000), "1.5", "-0.5"}) {
            String message = assertThrows(ModelException.class,
                () -> read("{\"a\": " + number + "}").positiveInteger("a")).getMessage();
            assertTrue(message.length() < 500 && message.contains("config.json"), message);
        }
    }

    @Test
    void letsThroughTheNumbersThatOnlyPythonKnows() throws IOException {
        ConfigFile config = read("{\"a\": -Infinity, \"b\": [NaN, Infinity], \"c\": \"a \\\" NaN\", \"d\": 2.5}");
        assertEquals(Double.NEGATIVE_INFINITY, config.root().get("a").getAsDouble());
        assertTrue(Double.isNaN(config.root().getAsJsonArray("b").get(0).getAsDouble()));
        assertEquals(Optional.of("a \" NaN"), config.text("c"));
        assertEquals(2.5, config.number("d", 0));
    }

    @Test
    void takesNullForMissing() throws IOException {
        ConfigFile config = read("{\"a\": null}");
        assertFalse(config.has("a"));
        assertEquals(Optional.empty(), config.text("a"));
        assertEquals(7, config.positiveInteger("a", 7));
        assertTrue(assertThrows(ModelException.class, () -> config.positiveInteger("a")).getMessage()
            .contains("\"a\" is missing"));
    }
}
