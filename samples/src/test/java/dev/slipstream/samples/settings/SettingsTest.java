package dev.slipstream.samples.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Options that are set elsewhere than on the command line. */
class SettingsTest {
    @TempDir
    private Path home;
    private Path config;
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void environment() throws IOException {
        config = Files.createDirectories(home.resolve(".config/slipstream")).resolve("config");
        environment.put("HOME", home.toString());
        environment.put("SLIPSTREAM_MODEL", CommandRun.MODEL.toString());
    }

    private CommandRun run(String... args) {
        return CommandRun.of("", environment, args);
    }

    private int steps(String... options) {
        List<String> args = new ArrayList<>(List.of("plan", "--json"));
        args.addAll(List.of(options));
        CommandRun run = run(args.toArray(String[]::new));
        assertEquals("", run.err());
        return run.json().get("steps").getAsInt();
    }

    private void write(String... lines) throws IOException {
        Files.write(config, List.of(lines));
    }

    @Test
    void theCommandLineGoesBeforeVariablesTheseBeforeTheFileAndThatBeforeWhatIsUsual() throws IOException {
        assertEquals(50, steps());
        write("# mine", "", "steps = 7");
        assertEquals(7, steps());
        write("steps = 7", "[plan]", "steps = 8");
        assertEquals(8, steps());
        environment.put("SLIPSTREAM_STEPS", "9");
        assertEquals(9, steps());
        assertEquals(10, steps("--steps", "10"));
        environment.put("SLIPSTREAM_STEPS", "");
        assertEquals(8, steps());
    }

    @Test
    void sectionsAreForTheirCommandsOnly() throws IOException {
        write("[generate]", "steps = 7", "[ bench   steps ]", "steps = 8");
        assertEquals(50, steps());
    }

    @Test
    void theFileLiesWhereXdgSaysAndAnotherOneCanBeNamed() throws IOException {
        write("steps = 7");
        environment.put("XDG_CONFIG_HOME", "relative, which XDG wants to be ignored");
        assertEquals(7, steps());
        environment.put("XDG_CONFIG_HOME", home.resolve("xdg").toString());
        assertEquals(50, steps());
        Files.createDirectories(home.resolve("xdg/slipstream"));
        Files.writeString(home.resolve("xdg/slipstream/config"), "steps=6");
        assertEquals(6, steps());
        environment.put("SLIPSTREAM_CONFIG", config.toString());
        assertEquals(7, steps());
        Path other = Files.writeString(home.resolve("other"), "steps = 5");
        assertEquals(5, steps("--config", other.toString()));
        assertEquals(5, steps("--config=" + other));
        environment.put("SLIPSTREAM_CONFIG", "");
        assertEquals(50, steps());
    }

    @Test
    void flagsAreTrueOrFalseAndValuesMayBeQuotedOrInTheHome() throws IOException {
        Files.createSymbolicLink(home.resolve("a model"), CommandRun.MODEL.toAbsolutePath());
        environment.remove("SLIPSTREAM_MODEL");
        write("model = \"~/a model\"", "[plan]", "long-prompts = yes");
        String whole = "red ".repeat(100);
        assertTrue(run("plan", whole).err().contains("these long prompts take"));
        environment.put("SLIPSTREAM_LONG_PROMPTS", "0");
        assertTrue(run("plan", whole).err().contains("prompt too long"));
        environment.put("SLIPSTREAM_LONG_PROMPTS", "perhaps");
        CommandRun run = run("plan");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("'perhaps' is not a boolean (--long-prompts is set by SLIPSTREAM_LONG_PROMPTS)"),
            run.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        steps = 3/stepz = 4         | line 2 of FILE sets 'stepz', which is no option that files may set; '
        [plan]/stepz = 4            | line 2 of FILE sets 'stepz', which is no option of 'slipstream plan'
        [plan]/help = true          | line 2 of FILE sets 'help', which is no option
        [plan]/json = true          | line 2 of FILE sets 'json', which is no option
        [genrate]/steps = 4         | line 1 of FILE has options for 'genrate', which is no command; there are generate
        [bench slow]/steps = 4      | line 1 of FILE has options for 'bench slow', which is no command
        steps 4                     | line 1 of FILE is no 'option = value'; write it
        = 4                         | line 1 of FILE is no 'option = value'; write it
        steps = 4/steps = 5         | line 2 of FILE sets 'steps' again, after line 1; leave out
        steps = many                | invalid value for option '--steps': 'many' is no whole number, or too large (
        /steps = 0                  | a picture takes 1 to 10000 steps, not 0 (--steps is set by line 2 of FILE); try
        plan = zigzag               | there is no plan 'zigzag'; there are sequential, cfg-split, asyncdiff,
        """)
    void whatIsWrongIsNamedWithItsLine(String lines, String words) throws IOException {
        write(lines.split("/"));
        CommandRun run = run("plan");
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.out());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().startsWith("slipstream: " + words.replace("FILE", config.toString())), run.err());
    }

    @Test
    void aFileThatIsNamedMustBeThereAndAnyOtherIsRefusedInOneLine() throws IOException {
        CommandRun absent = run("plan", "--config", home.resolve("absent").toString());
        assertEquals(ExitCode.WRONG_USAGE, absent.code());
        assertTrue(absent.err().contains("there is no file " + home.resolve("absent") + "; "), absent.err());
        Files.createDirectory(config);
        CommandRun run = run("plan");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().contains(config + " is a folder, not a file; "), run.err());
    }

    @Test
    void whatTheCommandLineSaysIsNotBlamedOnTheFile() throws IOException {
        write("steps = 20");
        CommandRun run = run("plan", "--steps", "0");
        assertTrue(run.err().contains("not 0; try"), run.err());
        write("steps = 0");
        assertEquals(3, steps("--steps", "3"));
    }

    @Test
    void theHelpSaysWhatIsSetWhere() throws IOException {
        write("[generate]", "steps = 7", "batch = 2");
        environment.put("SLIPSTREAM_GUIDANCE", "3");
        String help = run("generate", "--help").out();
        assertTrue(help.contains("\nSettings:\n"), help);
        assertTrue(help.contains("\n  " + config + "\n"), help);
        assertTrue(help.contains("\n  --guidance=3 is set by SLIPSTREAM_GUIDANCE\n"), help);
        assertTrue(help.contains("\n  --steps=7 is set by line 2 of " + config + "\n"), help);
        assertTrue(help.contains("in one loop (2)"), help);
        assertFalse(run("plan", "--help").out().contains("--steps=7"));
    }

    @Test
    void theDoctorShowsTheFileAndLooksAtAllOfIt() throws IOException {
        assertTrue(finding().startsWith("ABSENT " + config + " is not there\nset by variables: SLIPSTREAM_MODEL"));
        write("[generate]", "steps = 7");
        assertEquals("GOOD " + config + "\nset by variables: SLIPSTREAM_MODEL", finding());
        write("[generate]", "steps = 7", "[bench steps]", "round = 3");
        assertTrue(finding().startsWith("BAD line 4 of " + config + " sets 'round', which is no option of "
            + "'slipstream bench steps'"), finding());
        // Other commands are not held up.
        assertEquals(50, steps());
    }

    @Test
    void theFileOnThePageAboutTheCommandIsRight() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "command.md"));
        int begin = page.indexOf("```\n# for every command") + 4;
        write(page.substring(begin, page.indexOf("```", begin)).split("\n"));
        assertTrue(finding().startsWith("GOOD "), finding());
        assertTrue(run("bench", "steps", "--help").out().contains("--rounds=5 is set by line "));
    }

    private String finding() {
        return run("doctor", "--json").json().getAsJsonArray("findings").asList().stream()
            .map(JsonElement::getAsJsonObject).filter(it -> it.get("subject").getAsString().equals("settings"))
            .map(it -> it.get("state").getAsString() + " " + it.get("words").getAsString()).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "help", "schema", "completion bash"})
    void whatHasNoSettingsDoesNotReadTheFile(String line) throws IOException {
        write("nonsense");
        assertEquals(ExitCode.OK, run(line.split(" ")).code());
    }
}
