package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** One holder at a time, among threads and among processes, and no file left behind. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class KeyLockTest {
    @TempDir
    private Path folder;
    private Path target;

    @BeforeEach
    void nameTarget() {
        target = folder.resolve("engine");
    }

    @Test
    void aLockHasOneHolderAndLeavesNoFile() throws IOException {
        KeyLock lock = KeyLock.tryAcquire(target).orElseThrow();
        assertEquals(Optional.empty(), KeyLock.tryAcquire(target));
        try (KeyLock other = KeyLock.tryAcquire(folder.resolve("other")).orElseThrow()) {
            assertTrue(KeyLock.exists(target));
        }
        lock.close();
        assertEquals(List.of(), files());
        assertFalse(KeyLock.exists(target));
        KeyLock.tryAcquire(target).orElseThrow().close();
    }

    @Test
    void twoWaysToAFileAreOneLock(@TempDir Path elsewhere) throws IOException {
        Path link = Files.createSymbolicLink(elsewhere.resolve("link"), folder);
        try (KeyLock _ = KeyLock.acquire(target)) {
            assertEquals(Optional.empty(), KeyLock.tryAcquire(link.resolve("engine")));
        }
    }

    /** Closing a second channel to the file would give up the lock of the process. */
    @Test
    void anAttemptThatFailsLeavesTheLockToItsHolder() throws IOException, InterruptedException {
        Path unpacked = Files.createDirectory(folder.resolve("unpacked"));
        Process holder = FileProcess.start(folder, "unpacking", unpacked.toString());
        FileProcess.awaitReady(holder);
        for (int count = 0; count < 3; count++) {
            assertEquals(Optional.empty(), KeyLock.tryAcquire(unpacked));
        }
        assertTrue(KeyLock.exists(unpacked));
        FileProcess.go(holder);
        assertEquals(0, holder.waitFor());
        KeyLock.tryAcquire(unpacked).orElseThrow().close();
    }

    @Test
    void theLockOfAKilledProcessIsFree() throws IOException, InterruptedException {
        Path unpacked = Files.createDirectory(folder.resolve("unpacked"));
        Process holder = FileProcess.start(folder, "unpacking", unpacked.toString());
        FileProcess.awaitReady(holder);
        holder.destroyForcibly().waitFor();
        assertTrue(KeyLock.exists(unpacked));
        KeyLock.tryAcquire(unpacked).orElseThrow().close();
        assertFalse(KeyLock.exists(unpacked));
    }

    @Test
    void acquiringWaitsForTheHolderThroughInterrupts() throws Exception {
        KeyLock lock = KeyLock.acquire(target);
        FutureTask<Boolean> waiting = new FutureTask<>(() -> {
            try (KeyLock _ = KeyLock.acquire(target)) {
                return Thread.currentThread().isInterrupted();
            }
        });
        Thread waiter = Thread.ofPlatform().daemon().start(waiting);
        while (waiter.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        waiter.interrupt();
        while (waiter.isInterrupted()) {
            Thread.onSpinWait();
        }
        assertFalse(waiting.isDone());
        lock.close();
        assertTrue(waiting.get(), "the interrupt is kept for what the thread does next");
        assertEquals(List.of(), files());
    }

    /** A thread that opened the file before it was deleted would otherwise hold a lock that no other can see. */
    @Test
    void aFileThatWasGivenUpIsMarkedAndNotTaken() throws IOException {
        Path file = folder.resolve("engine.lock");
        KeyLock lock = KeyLock.acquire(target);
        try (FileChannel early = FileChannel.open(file, StandardOpenOption.READ)) {
            lock.close();
            assertEquals(1, early.size());
        }
        Files.write(file, new byte[1]);
        assertEquals(Optional.empty(), KeyLock.tryAcquire(target));
        Files.delete(file);
        KeyLock.tryAcquire(target).orElseThrow().close();
    }

    @Test
    void anInterruptedThreadGivesItsLockBackAndStaysInterrupted() throws IOException {
        KeyLock lock = KeyLock.acquire(target);
        try (FileChannel early = FileChannel.open(folder.resolve("engine.lock"), StandardOpenOption.READ)) {
            Thread.currentThread().interrupt();
            lock.close();
            assertTrue(Thread.interrupted());
            assertEquals(1, early.size(), "marked as given up");
        }
        assertEquals(List.of(), files());
        KeyLock.tryAcquire(target).orElseThrow().close();
    }

    @Test
    void aLinkInItsPlaceIsNotFollowedAndAMissingFolderIsAnError() throws IOException {
        Path victim = Files.createFile(folder.resolve("victim"));
        Path link = Files.createSymbolicLink(folder.resolve("engine.lock"), victim);
        assertThrows(IOException.class, () -> KeyLock.tryAcquire(target));
        Files.delete(link);
        KeyLock.tryAcquire(target).orElseThrow().close();
        assertThrows(NoSuchFileException.class, () -> KeyLock.acquire(folder.resolve("missing").resolve("engine")));
    }

    @Test
    void theNameOfALockFileTellsItsTarget() {
        assertEquals(Optional.of(target), KeyLock.targetOf(folder.resolve("engine.lock")));
        assertEquals(Optional.empty(), KeyLock.targetOf(target));
        assertEquals(Optional.empty(), KeyLock.targetOf(folder.resolve(".lock")));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
