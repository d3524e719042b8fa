package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.samples.terminal.Terminal;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * What people copy from the README and the pages: their Java compiles, with the API alone, and runs; their commands
 * have options that there are. A block of Java is a program, or else statements, which find a pipeline, a request and
 * the folder of a model.
 */
class DocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\n(.*?)^```");
    private static final Pattern IMPORT = Pattern.compile("(?m)^import (static )?([a-z.]+)\\..*;\n");
    private static final Pattern API = Pattern.compile("java.*|com\\.sun\\.net\\.httpserver|"
        + "dev\\.slipstream\\.(bridge|pipelines\\.(diffusion|diffusion\\.image|diffusion\\.reuse|model|plan))");
    private static final Pattern PROGRAM = Pattern.compile("(?m)^(?:public )?class (\\w+) ");
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");
    /** Inside of the repository. */
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]*)(?:#([^)]*))?\\)");
    private static final String IMPORTS = """
        import dev.slipstream.bridge.*;
        import dev.slipstream.pipelines.diffusion.*;
        import dev.slipstream.pipelines.diffusion.image.*;
        import dev.slipstream.pipelines.model.*;
        import dev.slipstream.pipelines.plan.*;
        import java.nio.file.*;
        import java.time.*;
        import java.util.*;
        import java.util.concurrent.*;
        """;

    @TempDir
    private Path folder;

    /** A block of Java in a page. @param name of its package, such as {@code serve2} */
    private record Snippet(String name, String text) {
        boolean isProgram() {
            return PROGRAM.matcher(text).find();
        }

        /** Its class, with the package. */
        String className() {
            return name + "." + (isProgram() ? found(PROGRAM, text) : "Snippet");
        }

        String source() {
            if (isProgram()) {
                return "package " + name + ";\n\n" + text;
            }
            return "package " + name + ";\n" + IMPORTS + String.join("", imports().map(MatchResult::group).toList())
                + "public class Snippet {\n"
                + "public static DiffusionPipeline pipeline;\n"
                + "public static ImageRequest request;\n"
                + "public static Path model;\n"
                + "public static void run() throws Exception {\n" + IMPORT.matcher(text).replaceAll("") + "}\n}\n";
        }

        Stream<MatchResult> imports() {
            return IMPORT.matcher(text).results();
        }

        /** A server answers until it is told to stop, and GPUs are not everywhere. */
        boolean endsAnywhere() {
            return !text.contains("HttpServer") && !text.contains("cuda");
        }
    }

    @Test
    void theProgramOfTheReadmeCompilesAndDrawsItsPicture() throws IOException, InterruptedException {
        Snippet program = snippets(ROOT.resolve("README.md")).getFirst();
        compile(List.of(program));
        copyModel(found("Path\\.of\\(\"([^\"]*model)\"\\)", program.text));
        run(program.className());
        Path picture = folder.resolve(found("\"([^\"]*\\.png)\"", program.text));
        assertNotNull(ImageIO.read(picture.toFile()), picture + " is no picture");
    }

    @Test
    void everySnippetCompilesWithTheApiAlone() throws IOException {
        List<Snippet> snippets = snippets();
        assertTrue(snippets.size() > 5, snippets.toString());
        for (Snippet snippet : snippets) {
            List<String> packages = snippet.imports().map(found -> found.group(2)).toList();
            assertTrue(packages.stream().allMatch(it -> API.matcher(it).matches()), snippet.toString());
        }
        compile(snippets);
    }

    @Test
    @Tag("slow")
    void snippetsRunWhereTheyAre() throws IOException, InterruptedException {
        List<Snippet> snippets = snippets().stream().filter(Snippet::endsAnywhere).toList();
        compile(snippets);
        copyModel("samples/model");
        run(Stream.concat(Stream.of(Statements.class.getName()), snippets.stream().filter(it -> !it.isProgram())
            .map(Snippet::className)).toArray(String[]::new));
        for (Snippet program : snippets.stream().filter(Snippet::isProgram).toList()) {
            run(program.className());
        }
    }

    @Test
    @Tag("slow")
    void theServerAnswersAndStops() throws IOException, InterruptedException {
        Snippet server = snippets().stream().filter(it -> it.text.contains("HttpServer")).findFirst().orElseThrow();
        compile(List.of(server));
        copyModel("samples/model");
        Process process = new ProcessBuilder(command(server.className(), "0")).directory(folder.toFile())
            .redirectErrorStream(true).start();
        try (BufferedReader output = process.inputReader(); HttpClient client = HttpClient.newHttpClient()) {
            URI address = URI.create(output.readLine());
            HttpResponse<byte[]> picture = client.send(post(address, "a red circle"), BodyHandlers.ofByteArray());
            assertEquals(200, picture.statusCode());
            assertNotNull(ImageIO.read(new ByteArrayInputStream(picture.body())));
            HttpResponse<String> refused = client.send(post(URI.create(address + "?steps=-1"), "a red circle"),
                BodyHandlers.ofString());
            assertEquals(400, refused.statusCode());
            assertTrue(refused.body().contains("-1"), refused.body());
            process.toHandle().destroy();
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "it does not end");
            assertEquals("", output.lines().collect(Collectors.joining("\n")));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void everyCommandHasOptionsThatThereAre() throws IOException {
        List<String> lines = new ArrayList<>();
        for (Path page : pages()) {
            BLOCK.matcher(Files.readString(page)).results().flatMap(block -> block.group(2).lines())
                .map(line -> line.replaceFirst("^\\$ ", "").strip()).flatMap(line -> Stream.of(line.split(" \\| ")))
                .filter(line -> line.matches("(\\./)?slipstream .*")).forEach(lines::add);
        }
        assertTrue(lines.size() > 20, lines.toString());
        Terminal terminal = new Terminal(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()),
            () -> false);
        CommandLine parser = Main.whole(terminal);
        for (String line : lines) {
            String command = line.replaceFirst(" [>#] .*", "");
            assertDoesNotThrow(() -> parser.parseArgs(words(command)), line);
        }
    }

    @Test
    void everyLinkLeadsToAFileAndAHeading() throws IOException {
        for (Path page : pages()) {
            for (MatchResult link : LINK.matcher(Files.readString(page)).results().toList()) {
                Path target = link.group(1).isEmpty() ? page : page.resolveSibling(link.group(1));
                assertTrue(Files.exists(target), () -> page + " leads to " + target);
                if (link.group(2) != null) {
                    assertTrue(anchors(target).contains(link.group(2)), () -> page + " leads to " + link.group());
                }
            }
        }
    }

    /** As GitHub makes them of headings. */
    private static List<String> anchors(Path page) throws IOException {
        return Files.readString(page).lines().filter(line -> line.startsWith("#"))
            .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT).replaceAll("[^\\w -]", "")
                .replace(' ', '-')).toList();
    }

    /** A dialogue has commands behind {@code $}, and what each answers, with dots for what differs by machine. */
    @Test
    void everyDialogueGoesAsItIsWritten() throws IOException {
        List<String> dialogues = new ArrayList<>();
        for (Path page : pages()) {
            BLOCK.matcher(Files.readString(page)).results().filter(block -> block.group(1).equals("console"))
                .flatMap(block -> Stream.of(block.group(2).substring(2).split("\n\\$ "))).forEach(dialogues::add);
        }
        assertTrue(dialogues.size() > 10, dialogues.toString());
        for (String dialogue : dialogues) {
            String[] lines = dialogue.strip().split("\n");
            assertEquals(2, lines.length, dialogue);
            String model = lines[0].contains("--model") ? "" : " --model " + CommandRun.MODEL;
            CommandRun run = CommandRun.of(words(lines[0] + model));
            String answer = Stream.of(lines[1].split("…", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
            assertTrue(run.err().strip().matches(answer), () -> dialogue + "\nit says: " + run.err());
        }
    }

    /** The arguments of a command. */
    private static String[] words(String line) {
        return WORD.matcher(line).results().skip(1)
            .map(word -> word.group(1) == null ? word.group(2) : word.group(1)).toArray(String[]::new);
    }

    private static HttpRequest post(URI address, String prompt) {
        return HttpRequest.newBuilder(address).POST(BodyPublishers.ofString(prompt)).build();
    }

    /** Runs blocks of statements, each with a pipeline of its own. */
    static final class Statements {
        public static void main(String[] classes) throws Exception {
            Path model = Path.of("samples/model");
            for (String name : classes) {
                Class<?> snippet = Class.forName(name);
                try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).open()) {
                    snippet.getField("model").set(null, model);
                    snippet.getField("pipeline").set(null, pipeline);
                    snippet.getField("request").set(null, ImageRequest.of("a red circle").withSteps(4));
                    snippet.getMethod("run").invoke(null);
                }
            }
        }
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> pages = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(Stream.of(ROOT.resolve("README.md")),
                pages.filter(page -> page.toString().endsWith(".md")).sorted()).toList();
        }
    }

    private static List<Snippet> snippets() throws IOException {
        List<Snippet> all = new ArrayList<>();
        for (Path page : pages()) {
            all.addAll(snippets(page));
        }
        return all;
    }

    /** Modules are tried by the build of the example that they belong to. */
    private static List<Snippet> snippets(Path page) throws IOException {
        String name = page.getFileName().toString().toLowerCase(Locale.ROOT).replaceAll("\\.md$|[^a-z]", "");
        List<String> blocks = BLOCK.matcher(Files.readString(page)).results()
            .filter(block -> block.group(1).equals("java")).map(block -> block.group(2))
            .filter(block -> !block.startsWith("module ")).toList();
        return IntStream.range(0, blocks.size()).mapToObj(index -> new Snippet(name + index, blocks.get(index)))
            .toList();
    }

    private static String found(String pattern, String text) {
        return found(Pattern.compile(pattern), text);
    }

    private static String found(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        assertTrue(matcher.find(), "there is no " + pattern);
        return matcher.group(1);
    }

    private void compile(List<Snippet> snippets) throws IOException {
        List<Path> sources = new ArrayList<>();
        for (Snippet snippet : snippets) {
            Path source = folder.resolve("source").resolve(snippet.className().replace('.', '/') + ".java");
            Files.createDirectories(source.getParent());
            sources.add(Files.writeString(source, snippet.source()));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter complaints = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(complaints, files, null,
                List.of("--release", "22", "-Xlint:all,-path", "-Werror", "-d", folder.toString(), "-cp",
                    System.getProperty("java.class.path")),
                null, files.getJavaFileObjectsFromPaths(sources)).call();
            assertTrue(compiled, complaints.toString());
        }
    }

    private void run(String... command) throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(command(command)).directory(folder.toFile()).redirectErrorStream(true)
            .redirectOutput(output.toFile()).start();
        assertTrue(process.waitFor(5, TimeUnit.MINUTES), "it does not end");
        assertEquals(0, process.exitValue(), () -> List.of(command) + ": " + read(output));
    }

    private List<String> command(String... words) {
        List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED", "-cp", folder + File.pathSeparator + absoluteClassPath()));
        command.addAll(List.of(words));
        return command;
    }

    private static String absoluteClassPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString()).collect(Collectors.joining(File.pathSeparator));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void copyModel(String where) throws IOException {
        Path copy = folder.resolve(where);
        Files.createDirectories(copy.getParent());
        try (Stream<Path> files = Files.walk(CommandRun.MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(CommandRun.MODEL.relativize(file).toString()));
            }
        }
    }
}
