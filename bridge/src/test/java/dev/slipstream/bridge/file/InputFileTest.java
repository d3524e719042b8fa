package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InputFileTest {
    @TempDir
    private Path folder;

    private static String refusal(Path file) {
        String message = assertThrows(IOException.class, () -> InputFile.bytes(file, 100)).getMessage();
        for (Executable other : new Executable[] {() -> InputFile.open(file).close(),
            () -> InputFile.stream(file).close(), () -> InputFile.head(file, 1), () -> InputFile.text(file, 100)}) {
            assertEquals(message, assertThrows(IOException.class, other).getMessage());
        }
        return message;
    }

    @Test
    void aFileIsReadWhole() throws IOException {
        byte[] contents = "grün\n".repeat(50_000).getBytes("UTF-8");
        Path file = Files.write(folder.resolve("text"), contents);
        assertArrayEquals(contents, InputFile.bytes(file, contents.length));
        assertArrayEquals("grü".getBytes("UTF-8"), InputFile.head(file, 4));
        assertEquals(contents.length, InputFile.text(file, 1 << 20).getBytes("UTF-8").length);
        assertEquals(0, InputFile.bytes(Files.createFile(folder.resolve("empty")), 0).length);
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("text"));
        try (FileChannel channel = InputFile.open(link); InputStream in = InputFile.stream(link)) {
            assertEquals(contents.length, channel.size());
            assertArrayEquals(contents, in.readAllBytes());
        }
    }

    @Test
    void aPipeIsNotWaitedFor() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "needs mkfifo");
        assertEquals(0, new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start().waitFor());
        assertEquals(pipe + " is a pipe or a device, not a regular file", refusal(pipe));
    }

    @Test
    void aDeviceIsNotRead() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/zero")));
        Path link = Files.createSymbolicLink(folder.resolve("endless"), Path.of("/dev/zero"));
        assertEquals(link + " is a pipe or a device, not a regular file", refusal(link));
    }

    @Test
    void aFolderIsNoFile() {
        assertEquals(folder + " is a folder, not a file", refusal(folder));
    }

    @Test
    void whatIsMissingIsSaidToBe() throws IOException {
        Path file = folder.resolve("none");
        assertEquals("there is no file " + file, refusal(file));
        assertThrows(NoSuchFileException.class, () -> InputFile.open(file));
        assertFalse(InputFile.isThere(file));
    }

    @Test
    void aLinkThatLeadsNowhereIsThereAndSaysWhereItLeads() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("config.json"), Path.of("../blobs/none"));
        assertTrue(InputFile.isThere(link));
        assertEquals(link + " is a link to ../blobs/none, which is missing", refusal(link));
        Path round = Files.createSymbolicLink(folder.resolve("round"), Path.of("round"));
        assertTrue(refusal(round).startsWith("cannot read " + round + ": "), refusal(round));
    }

    @Test
    void aFileBeyondTheBoundIsNotRead() throws IOException {
        Path file = folder.resolve("sparse");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        String message = assertThrows(IOException.class, () -> InputFile.bytes(file, 100)).getMessage();
        assertEquals(file + " is too large: it has " + (1L << 40) + " bytes, and at most 100 are read", message);
        assertEquals(4, InputFile.head(file, 4).length);
    }

    /** The kernel's files have more bytes than they say, as files that grow have. */
    @Test
    void theBoundHoldsWhateverTheSizeIsSaidToBe() throws IOException {
        Path file = Path.of("/proc/self/status");
        assumeTrue(Files.exists(file));
        assertEquals(0, Files.size(file));
        assertTrue(InputFile.text(file, 1 << 20).contains("VmRSS"));
        assertTrue(assertThrows(IOException.class, () -> InputFile.bytes(file, 20)).getMessage()
            .contains("more than 20"));
    }

    @Test
    void whatIsNoTextIsSaidToBeNone() throws IOException {
        Path file = Files.write(folder.resolve("binary"), new byte[] {'a', (byte) 0xE9});
        assertEquals(file + " is not UTF-8 text",
            assertThrows(IOException.class, () -> InputFile.text(file, 100)).getMessage());
    }
}
