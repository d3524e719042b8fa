package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pipes, devices, endless files and links that lead nowhere, in the place of each file that a picture needs. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SpecialFilesTest {
    @TempDir
    private Path folder;
    private Path model;

    @BeforeEach
    void copy() throws IOException {
        model = folder.resolve("model");
        try (Stream<Path> files = Files.walk(CommandRun.MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(CommandRun.MODEL.relativize(file).toString()));
            }
        }
    }

    private void assertRefused(String file, String... command) {
        CommandRun run = CommandRun.of(command);
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().contains(file), run.err());
    }

    private void assertRefused(Path file) {
        assertRefused(file.toString(), "generate", "red", "--model", model.toString(), "--steps", "1", "--output",
            folder.resolve("out.png").toString());
    }

    private static Path pipe(Path file) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "needs mkfifo");
        Files.deleteIfExists(file);
        assertEquals(0, new ProcessBuilder("/usr/bin/mkfifo", file.toString()).start().waitFor());
        return file;
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_index.json", "scheduler/scheduler_config.json", "unet/model.onnx",
        "unet/config.json", "vae_decoder/model.onnx", "vae_decoder/config.json", "text_encoder/model.onnx",
        "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json", "cuts.json"})
    void inAModel(String name) throws IOException, InterruptedException {
        Path file = model.resolve(name);
        assumeTrue(Files.exists(file), "the sample model has no " + name);
        assertRefused(pipe(file));
        Files.delete(file);
        assertRefused(Files.createSymbolicLink(file, Path.of("/dev/zero")));
        Files.delete(file);
        assertRefused(Files.createSymbolicLink(file, Path.of("nowhere")));
        Files.delete(file);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        assertRefused(file);
    }

    @Test
    void asAPicture() throws IOException, InterruptedException {
        for (Path file : List.of(pipe(folder.resolve("pipe.png")),
            Files.createSymbolicLink(folder.resolve("zero.png"), Path.of("/dev/zero")))) {
            assertRefused(file.toString(), "generate", "red", "--image", file.toString(), "--output",
                folder.resolve("out.png").toString());
        }
    }

    @Test
    void asALora() throws IOException, InterruptedException {
        Path file = pipe(folder.resolve("pipe.safetensors"));
        assertRefused(file.toString(), "generate", "red", "--lora", file.toString(), "--output",
            folder.resolve("out.png").toString());
    }

    @Test
    void asTensors() throws IOException, InterruptedException {
        Path file = pipe(folder.resolve("pipe.safetensors"));
        assertRefused(file.toString(), "run", model.resolve("unet").toString(), "--inputs", file.toString());
    }

    @Test
    void asReferenceCases() throws IOException, InterruptedException {
        Path file = pipe(model.resolve("cases.json"));
        assertRefused(file.toString(), "verify", model.toString());
    }
}
