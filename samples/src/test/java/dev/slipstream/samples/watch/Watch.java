package dev.slipstream.samples.watch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Runs Java under {@code native/watch/watch.c}, which notes all that a process does to files and the network.
 *
 * @param program the compiled watch
 * @param home home and, in {@code tmp}, temporary folder of what runs
 */
record Watch(Path program, Path home) {
    private static final Path SOURCE = Path.of("../native/watch/watch.c");
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");

    /** How it ended, and what was done: in each line a word, a tab and a path. */
    record Run(int code, String out, String err, List<String> actions) {
    }

    /** Empty if there is no C compiler, or no process may watch another here. */
    static Optional<Path> compile(Path folder) throws IOException, InterruptedException {
        Path program = folder.resolve("watch");
        for (String compiler : COMPILERS) {
            if (succeeds(compiler, "-std=c11", "-O2", "-o", program.toString(), SOURCE.toString())) {
                return succeeds(program.toString(), "/dev/null", "true") ? Optional.of(program) : Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        }
    }

    /** Without the variables that keep ONNX Runtime's telemetry off, or name a cache. */
    Run java(String mainClass, String... arguments) throws IOException, InterruptedException {
        Path notes = home.resolveSibling("notes");
        Path complaints = home.resolveSibling("complaints");
        Files.createDirectories(home.resolve("tmp"));
        // -XX:-UsePerfData: the JVM's own file in /tmp.
        List<String> command = Stream.concat(Stream.of(program.toString(), notes.toString(), javaProgram(),
            "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
            "-Duser.home=" + home, "-Djava.io.tmpdir=" + home.resolve("tmp"), "-cp",
            System.getProperty("java.class.path"), mainClass), Stream.of(arguments)).toList();
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(complaints.toFile());
        builder.environment().clear();
        builder.environment().putAll(Map.of("HOME", home.toString(), "TMPDIR", home.resolve("tmp").toString()));
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes());
        int code = process.waitFor();
        return new Run(code, out, Files.readString(complaints), Files.readAllLines(notes));
    }

    static String javaProgram() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** The plain files that lie in the home. */
    List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(home)) {
            return all.filter(Files::isRegularFile).map(file -> home.relativize(file).toString()).sorted().toList();
        }
    }
}
