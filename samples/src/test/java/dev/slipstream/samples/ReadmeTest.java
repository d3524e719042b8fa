package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in the README is what people copy first: it compiles, and it draws the picture that it names. */
class ReadmeTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void theProgramCompilesAndDrawsItsPicture() throws IOException, InterruptedException {
        String program = program();
        String name = found("class (\\w+) \\{", program);
        compile(name, program);
        copyModel(found("Path\\.of\\(\"([^\"]*model)\"\\)", program));
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-cp",
            folder + File.pathSeparator + System.getProperty("java.class.path"), name).directory(folder.toFile())
            .redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertTrue(process.waitFor(5, TimeUnit.MINUTES), "it does not end");
        assertEquals(0, process.exitValue(), Files.readString(output));
        Path picture = folder.resolve(found("\"([^\"]*\\.png)\"", program));
        assertNotNull(ImageIO.read(picture.toFile()), picture + " is no picture");
    }

    private static String program() throws IOException {
        return found(PROGRAM, Files.readString(README));
    }

    private static String found(String pattern, String text) {
        return found(Pattern.compile(pattern), text);
    }

    private static String found(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        assertTrue(matcher.find(), "README.md has no " + pattern);
        return matcher.group(1);
    }

    private void compile(String name, String program) throws IOException {
        Path source = Files.writeString(folder.resolve(name + ".java"), program);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter complaints = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(complaints, files, null,
                List.of("--release", "22", "-Xlint:all,-path", "-Werror", "-d", folder.toString(), "-cp",
                    System.getProperty("java.class.path")),
                null, files.getJavaFileObjects(source)).call();
            assertTrue(compiled, complaints.toString());
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
