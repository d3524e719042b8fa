package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import dev.slipstream.samples.terminal.Terminal.Surroundings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts and pictures through pipes, and what is said beside them. */
class StreamsTest {
    private static final List<String> REQUEST = List.of("--model", CommandRun.MODEL.toString(), "--plan", "sequential",
        "--devices", "1", "--seed", "7");

    @TempDir
    private Path folder;

    private CommandRun generate(String in, String... options) {
        List<String> args = new ArrayList<>(List.of("generate"));
        args.addAll(REQUEST);
        if (!List.of(options).contains("--output")) {
            args.addAll(List.of("--output", picture("picture").toString()));
        }
        if (!List.of(options).contains("--steps")) {
            args.addAll(List.of("--steps", "2"));
        }
        args.addAll(List.of(options));
        return CommandRun.of(in, Map.of(), args.toArray(String[]::new));
    }

    private Path picture(String name) {
        return folder.resolve(name + ".png");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    private byte[] drawn(String prompt) throws IOException {
        assertEquals(ExitCode.OK, generate("", prompt, "--output", picture("alone").toString()).code());
        byte[] bytes = Files.readAllBytes(picture("alone"));
        Files.delete(picture("alone"));
        return bytes;
    }

    @Test
    void aPromptFromTheStandardInputIsTheSamePrompt() throws IOException {
        byte[] expected = drawn("a größer star");
        assertEquals(ExitCode.OK, generate("\uFEFFa größer star\r\n", "-").code());
        assertArrayEquals(expected, Files.readAllBytes(picture("picture")));
    }

    @Test
    void eachLineIsAPromptWhosePicturesAreThoseOfACallOfItsOwn() throws IOException {
        byte[] second = drawn("a blue circle");
        CommandRun run = generate("a red star\n\n  a blue circle  \n", "-", "--count", "2", "--json");
        assertEquals("", run.err());
        assertEquals(List.of("picture-1.png", "picture-2.png", "picture-3.png", "picture-4.png"), files());
        assertArrayEquals(second, Files.readAllBytes(picture("picture-3")));
        assertEquals(List.of("a red star 7", "a red star 8", "a blue circle 7", "a blue circle 8"),
            run.json().getAsJsonArray("pictures").asList().stream().map(JsonElement::getAsJsonObject)
                .map(it -> it.get("prompt").getAsString() + " " + it.get("seed").getAsLong()).toList());
    }

    @Test
    void promptsComeFromAFileToo() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "@a star\n# a circle\n");
        CommandRun run = generate("", "--prompts", prompts.toString());
        assertEquals("", run.err());
        assertEquals(List.of("picture-1.png", "picture-2.png", "prompts.txt"), files());
        assertTrue(run.out().contains("seed 7) of @a star\n"), run.out());
        assertTrue(PngText.parameters(picture("picture-2")).startsWith("# a circle\n"));
    }

    @Test
    void aPromptThatBeginsWithAnAtSignIsText() throws IOException {
        Files.writeString(folder.resolve("file"), "not this");
        assertEquals(ExitCode.OK, generate("", "@" + folder.resolve("file")).code());
        assertTrue(PngText.parameters(picture("picture")).startsWith("@" + folder.resolve("file") + "\n"));
    }

    @Test
    void aPictureForTheStandardOutputIsAllThatGoesThere() throws IOException {
        byte[] expected = drawn("a red star");
        CommandRun run = generate("", "a red star", "--output", "-");
        assertEquals(ExitCode.OK, run.code());
        assertEquals("", run.out());
        assertArrayEquals(expected, run.bytes());
        assertTrue(run.err().contains("\npicture  standard output (32x32 pixels, enlarged 8 times, seed 7)\n"),
            run.err());
        CommandRun quiet = generate("", "a red star", "--output", "-", "-q");
        assertArrayEquals(expected, quiet.bytes());
        assertEquals("", quiet.err());
        assertEquals(List.of(), files());
    }

    @Test
    void aTerminalIsNoPlaceForAPicture() {
        StringWriter err = new StringWriter();
        int code = Main.execute(new Terminal(new StringWriter(), err, () -> false, new Surroundings(
            InputStream.nullInputStream(), OutputStream.nullOutputStream(), () -> true, Map.of())),
            "generate", "x", "--output", "-");
        assertEquals(ExitCode.WRONG_USAGE, code);
        assertEquals("slipstream: the standard output is a terminal, which cannot show it; send it to a file or a "
            + "program, with > or |\n", err.toString());
    }

    @Test
    void aStandardOutputThatTakesNoPictureIsAFailure() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int octet) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        StringWriter err = new StringWriter();
        List<String> args = new ArrayList<>(List.of("generate", "x", "--quiet", "--output", "-"));
        args.addAll(REQUEST);
        int code = Main.execute(new Terminal(new StringWriter(), err, () -> false,
            new Surroundings(InputStream.nullInputStream(), full, () -> false, Map.of())), args.toArray(String[]::new));
        assertEquals(ExitCode.FAILED, code);
        assertEquals("slipstream: the picture cannot be written to the standard output, as its disk is full or its "
            + "reader gone; name a file with --output\n", err.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        x --output - --count 2       | the standard output takes one picture, not 2; name a file
        x --output - --json          | --output - leaves no place for --json; name a file
        x --output - --preview 1     | --output - leaves no place for --preview; name a file
        -                            | the standard input has no prompt; write one a line
        --quiet                      | there is no PROMPT; say in quotes
        x --prompts FILE             | there are a PROMPT and --prompts; leave out one
        --prompts FILE               | there is no file FILE; name another file
        """)
    void whatDoesNotGoTogetherIsRefusedInOneLine(String options, String words) throws IOException {
        String missing = folder.resolve("missing.txt").toString();
        CommandRun run = generate(" \n\n", options.replace("FILE", missing).split(" "));
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().contains(words.replace("FILE", missing)), run.err());
        assertEquals(List.of(), files());
    }

    @Test
    void anInputThatIsNoTextIsRefused() {
        StringWriter err = new StringWriter();
        int code = Main.execute(new Terminal(new StringWriter(), err, () -> false, new Surroundings(
            new ByteArrayInputStream(new byte[] {'a', (byte) 0xFF}), OutputStream.nullOutputStream(),
            () -> false, Map.of())), "generate", "-");
        assertEquals(ExitCode.WRONG_USAGE, code);
        assertTrue(err.toString().contains("is not UTF-8 text; "), err.toString());
    }

    @Test
    void theFileOfPromptsIsNotOverwritten() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.png"), "a star\n");
        CommandRun run = generate("", "--prompts", prompts.toString(), "--output", prompts.toString());
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("would take the place of"), run.err());
        assertEquals("a star\n", Files.readString(prompts));
    }

    @Test
    void withoutATerminalProgressIsTenLinesAtMostAndOneAPictureOfSeveral() {
        assertEquals(List.of("slipstream: getting ready", "slipstream: step 1 of 2", "slipstream: step 2 of 2"),
            withoutTimes(generate("", "x")));
        List<String> many = withoutTimes(generate("", "x", "--steps", "25"));
        assertEquals(11, many.size(), many.toString());
        assertEquals("slipstream: step 25 of 25", many.getLast());
        assertEquals(List.of("slipstream: getting ready", "slipstream: picture 1 of 3, step 25 of 25",
            "slipstream: picture 2 of 3, step 25 of 25", "slipstream: picture 3 of 3, step 25 of 25"),
            withoutTimes(generate("", "x", "--steps", "25", "--count", "3")));
    }

    private static List<String> withoutTimes(CommandRun run) {
        return run.progress().stream().map(line -> line.replaceFirst(", \\d+\\.\\d s$", "")).toList();
    }

    @Test
    void quietSaysNothingWhereAllIsWellAndJsonHasNoProgress() throws IOException {
        CommandRun quiet = generate("", "x", "--quiet");
        assertEquals(List.of("", "", "[]"), List.of(quiet.out(), quiet.err(), quiet.progress().toString()));
        assertEquals(List.of("picture.png"), files());
        assertEquals(List.of(), generate("", "x", "--json").progress());
        CommandRun warned = generate("", "red ".repeat(100), "--quiet");
        assertTrue(warned.err().startsWith("slipstream: warning: prompt too long"), warned.err());
        assertEquals(ExitCode.WRONG_USAGE, generate("", "x", "--quiet", "--steps", "0").code());
    }
}
