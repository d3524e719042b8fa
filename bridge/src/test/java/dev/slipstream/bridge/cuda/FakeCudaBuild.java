package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Compiles the stand-in for the CUDA driver ({@code native/testing}) with the C compiler of this machine, once for each
 * state of its sources: all modules find the same file under {@code native/target}.
 */
final class FakeCudaBuild {
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");
    private static final List<String> FLAGS = List.of("-std=c11", "-O2", "-ffp-contract=off", "-pthread");
    private static final List<String> LIBRARY_FLAGS = List.of("-fPIC", "-shared", "-fvisibility=hidden");
    private static final String SELF_TEST = "selftest.c";

    private final Path nativeFolder;
    private final String compiler;

    private FakeCudaBuild(Path nativeFolder, String compiler) {
        this.nativeFolder = nativeFolder;
        this.compiler = compiler;
    }

    static Availability availability() throws IOException, InterruptedException {
        return compiler().<Availability>map(Availability.Available::new).orElseGet(() -> new Availability.Unavailable(
            "none of " + COMPILERS + " compiles C11 with POSIX threads here", "install gcc or clang"));
    }

    /** @throws IllegalStateException if there is no compiler: ask {@link #availability} first */
    static FakeCudaBuild find() throws IOException, InterruptedException {
        return new FakeCudaBuild(nativeFolder(),
            compiler().orElseThrow(() -> new IllegalStateException("no C compiler was found")));
    }

    /** The folder of CUDA sources, upwards from where the test runs. */
    static Path nativeFolder() {
        Path start = Path.of("").toAbsolutePath();
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("native/testing"))) {
                return folder.resolve("native");
            }
        }
        throw new IllegalStateException("no folder native/testing in or above " + start);
    }

    private static Optional<String> compiler() throws IOException, InterruptedException {
        for (String candidate : COMPILERS) {
            if (compiles(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    private static boolean compiles(String compiler) throws IOException, InterruptedException {
        Path probe = Files.createTempFile("probe", ".c");
        try {
            Files.writeString(probe, "#include <pthread.h>\n_Thread_local pthread_t thread;\n");
            return new ProcessBuilder(compiler, "-std=c11", "-fsyntax-only", probe.toString())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        } finally {
            Files.delete(probe);
        }
    }

    Path library() throws IOException, InterruptedException {
        return made("libcuda.so.1", LIBRARY_FLAGS, sources().filter(file -> !file.endsWith(SELF_TEST)).toList());
    }

    Path selfTest() throws IOException, InterruptedException {
        return made("selftest", List.of(), sources().toList());
    }

    private Stream<Path> sources() throws IOException {
        return files("testing").stream().filter(file -> file.toString().endsWith(".c"));
    }

    private List<Path> files(String folder) throws IOException {
        try (Stream<Path> files = Files.list(nativeFolder.resolve(folder))) {
            return files.sorted().toList();
        }
    }

    /** Another process may make it too, so it appears whole. */
    private Path made(String name, List<String> flags, List<Path> sources) throws IOException, InterruptedException {
        Path folder = nativeFolder.resolve("target/fake-cuda").resolve(digest());
        Path result = folder.resolve(name);
        if (!Files.exists(result)) {
            Files.createDirectories(folder);
            Path whole = Files.createTempFile(folder, name, ".part");
            compile(whole, flags, sources);
            Files.move(whole, result, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        return result;
    }

    private void compile(Path result, List<String> flags, List<Path> sources) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(compiler));
        command.addAll(FLAGS);
        command.addAll(flags);
        command.addAll(List.of("-o", result.toString()));
        sources.forEach(source -> command.add(source.toString()));
        command.add("-lm");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String messages = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IllegalStateException(compiler + " cannot compile the stand-in for the CUDA driver:\n"
                + messages);
        }
    }

    private String digest() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((compiler + FLAGS + LIBRARY_FLAGS).getBytes());
            for (String folder : List.of("src", "testing")) {
                for (Path file : files(folder)) {
                    digest.update(file.getFileName().toString().getBytes());
                    digest.update(Files.readAllBytes(file));
                }
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
