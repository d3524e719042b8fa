package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples in the help and on the pages are what people paste: they run as they are. */
class ExamplesTest {
    private static final Path PAGES = Path.of("..", "docs");
    private static final List<String> COMMANDS = List.of("", "generate", "plan", "model init", "engines",
        "engines list", "engines build", "engines clear", "cache", "cache list", "cache stats",
        "cache verify", "cache clear", "doctor", "schema", "completion", "share", "help");
    /** What stands for a file of one's own, needs a GPU, another program or a store with a certain engine. */
    private static final Pattern LEFT_OUT = Pattern.compile("DIR|cuda|--lora|^man |^source |3fa94c01b2d7|^export ");
    /** What takes longer than a moment. */
    private static final Pattern DRAWING =
        Pattern.compile("slipstream (generate|engines build|calibrate|model cuts)|calibration=");
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    @TempDir
    private Path folder;

    @Test
    void cheapExamplesRunAsTheyAre() throws IOException, InterruptedException {
        List<String> examples = examples();
        examples.removeIf(example -> DRAWING.matcher(example).find());
        assertTrue(examples.size() > 20, examples.toString());
        assertEquals("", output(examples));
    }

    @Test
    @Tag("slow")
    void examplesRunAsTheyAre() throws IOException, InterruptedException {
        List<String> examples = examples();
        assertTrue(examples.size() > 30, examples.toString());
        assertEquals("", output(examples));
    }

    private static List<String> examples() throws IOException {
        List<String> examples = new ArrayList<>();
        for (String command : COMMANDS) {
            examples.addAll(CommandRun.of((command + " --help").strip().split(" ")).out().lines()
                .filter(line -> line.matches("  (slipstream|echo|printf) .*")).map(String::strip).toList());
        }
        examples.addAll(pages());
        examples.removeIf(example -> LEFT_OUT.matcher(example).find());
        return examples;
    }

    /** The blocks of commands, whose lines have no prompt sign. */
    private static List<String> pages() throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> pages = Files.list(PAGES)) {
            for (Path page : pages.filter(it -> it.toString().endsWith(".md")).sorted().toList()) {
                Pattern.compile("(?ms)^```sh\n(.*?)^```").matcher(Files.readString(page)).results()
                    .flatMap(block -> block.group(1).lines()).filter(line -> !line.isBlank()).forEach(lines::add);
            }
        }
        return lines;
    }

    /** In a process of its own, as examples write into the current folder. */
    private String output(List<String> examples) throws IOException, InterruptedException {
        Path list = Files.write(folder.resolve("examples.txt"), examples);
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
            "-Dslipstream.home=" + Path.of("..").toRealPath(), "-Dslipstream.engines=" + folder.resolve("engines"),
            "-cp", absoluteClassPath(), Paste.class.getName(), list.toString());
        Path here = Files.createDirectory(folder.resolve("here"));
        // As in the folder of a clone, where people paste them.
        Files.createSymbolicLink(here.resolve("samples"), Path.of("").toRealPath());
        Process process = builder.directory(here.toFile())
            .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    private static String absoluteClassPath() {
        return String.join(File.pathSeparator, Stream.of(System.getProperty("java.class.path")
            .split(File.pathSeparator)).map(entry -> Path.of(entry).toAbsolutePath().toString()).toList());
    }

    /** Does what a shell does with a line, as far as examples need it. */
    static final class Paste {
        public static void main(String[] args) throws IOException {
            for (String example : Files.readAllLines(Path.of(args[0]))) {
                String[] piped = example.split(" \\| ");
                String line = piped[piped.length - 1];
                String[] redirected = line.split(" > ");
                List<String> words = words(redirected[0]);
                String in = piped.length == 1 ? "" : String.join("\n", words(piped[0]).subList(1, 2)) + "\n";
                CommandRun run = CommandRun.of(in.replace("\\n", "\n"), Map.of(),
                    words.subList(1, words.size()).toArray(String[]::new));
                if (run.code() != 0) {
                    System.out.println(example + ": " + run.err() + run.out());
                }
                if (redirected.length > 1) {
                    Files.write(Path.of(redirected[1].strip()),
                        run.out().isEmpty() ? run.bytes() : run.out().getBytes(StandardCharsets.UTF_8));
                }
            }
        }

        private static List<String> words(String line) {
            List<String> words = new ArrayList<>();
            Matcher word = WORD.matcher(line);
            while (word.find()) {
                words.add(word.group(1) == null ? word.group(2) : word.group(1));
            }
            return words;
        }
    }
}
