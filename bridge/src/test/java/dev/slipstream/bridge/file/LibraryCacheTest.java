package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The folder holds what the jar holds, whatever was in the cache and whatever other processes do. */
class LibraryCacheTest {
    private static final byte[] FIRST = bytes(300_000, 1);
    private static final byte[] SECOND = bytes(5_000, 2);

    @TempDir
    private Path folder;

    @Test
    void librariesAreUnpackedSideBySideAndOnce() throws IOException {
        Path jar = jar("some.jar", FIRST);
        Path unpacked = unpack(jar);
        assertWhole(unpacked);
        Object before = Files.readAttributes(unpacked.resolve("libfirst.so"), "unix:ino,ctime");
        assertEquals(unpacked, unpack(jar));
        assertEquals(before, Files.readAttributes(unpacked.resolve("libfirst.so"), "unix:ino,ctime"), "written again");
    }

    /** What accidents, and people, do to a file. */
    enum Damage {
        ABSENT {
            @Override
            void to(Path file) throws IOException {
                Files.delete(file);
            }
        },
        EMPTY {
            @Override
            void to(Path file) throws IOException {
                Files.write(file, new byte[0]);
            }
        },
        TRUNCATED {
            @Override
            void to(Path file) throws IOException {
                Files.write(file, Arrays.copyOf(FIRST, FIRST.length / 2));
            }
        },
        LONGER {
            @Override
            void to(Path file) throws IOException {
                Files.write(file, new byte[] {0}, StandardOpenOption.APPEND);
            }
        },
        ONE_BIT_AT_THE_SAME_TIME {
            @Override
            void to(Path file) throws IOException {
                FileTime time = Files.getLastModifiedTime(file);
                byte[] other = FIRST.clone();
                other[FIRST.length - 1] ^= 4;
                Files.write(file, other);
                Files.setLastModifiedTime(file, time);
            }
        },
        OTHER_CONTENT_OF_EQUAL_LENGTH {
            @Override
            void to(Path file) throws IOException {
                Files.write(file, bytes(FIRST.length, 3));
            }
        },
        A_LINK_TO_ANOTHER_FILE {
            @Override
            void to(Path file) throws IOException {
                Path elsewhere = Files.write(file.resolveSibling("elsewhere"), FIRST);
                Files.delete(file);
                Files.createSymbolicLink(file, elsewhere);
            }
        };

        abstract void to(Path file) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void aFileThatIsNotTheJarsIsReplaced(Damage damage) throws IOException {
        Path jar = jar("some.jar", FIRST);
        Path library = unpack(jar).resolve("libfirst.so");
        damage.to(library);
        assertEquals(library.getParent(), unpack(jar));
        Files.deleteIfExists(library.resolveSibling("elsewhere"));
        assertTrue(Files.isRegularFile(library, LinkOption.NOFOLLOW_LINKS));
        assertWhole(library.getParent());
    }

    @Test
    void severalThreadsMayStartAtOnce() throws Exception {
        Path jar = jar("some.jar", FIRST);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Callable<Path>> starts = IntStream.range(0, 8).mapToObj(i -> (Callable<Path>) () -> unpack(jar))
                .toList();
            for (Future<Path> start : threads.invokeAll(starts)) {
                assertWhole(start.get());
            }
        }
    }

    @Test
    void severalProcessesMayStartAtOnce() throws Exception {
        Path jar = jar("some.jar", FIRST);
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(FileProcess.start(folder, "unpack", jar.toString(), cache().toString()));
        }
        for (Process process : processes) {
            FileProcess.awaitReady(process);
        }
        for (Process process : processes) {
            FileProcess.go(process);
        }
        for (Process process : processes) {
            assertEquals(0, process.waitFor());
        }
        assertWhole(unpack(jar));
        assertEquals(1, names(cache()).size());
    }

    @Test
    void whatAKilledProcessLeftIsClearedAway() throws Exception {
        Path jar = jar("some.jar", FIRST);
        Path unpacked = unpack(jar);
        Process process = FileProcess.start(folder, "unpacking", unpacked.toString());
        FileProcess.awaitReady(process);
        assertEquals(3, names(unpacked).size());
        process.destroyForcibly().waitFor();
        assertWhole(unpack(jar));
        assertEquals(List.of(unpacked.getFileName().toString()), names(cache()));
    }

    /** As in the test above, but whole files are no reason to wait for one who is at work. */
    @Test
    void whoFindsAllWholeDoesNotWait() throws Exception {
        Path jar = jar("some.jar", FIRST);
        Path unpacked = unpack(jar);
        Process process = FileProcess.start(folder, "unpacking", unpacked.toString());
        try {
            FileProcess.awaitReady(process);
            assertEquals(unpacked, unpack(jar));
            assertEquals(3, names(unpacked).size(), "took what another is writing");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void onlyTheOwnerMayWriteThere() throws IOException {
        assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
        Path jar = jar("some.jar", FIRST);
        Path unpacked = unpack(jar);
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(unpacked)));
        Files.setPosixFilePermissions(unpacked, PosixFilePermissions.fromString("rwxrwxrwx"));
        unpack(jar);
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(unpacked)));
    }

    @Test
    void aFewVersionsAreKept() throws IOException {
        List<Path> versions = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            versions.add(unpack(jar(i + ".jar", bytes(100, 10 + i))));
            Files.setLastModifiedTime(versions.getLast(), FileTime.fromMillis(1_000_000L * i));
        }
        Path last = unpack(jar("last.jar", FIRST));
        assertEquals(Stream.of(versions.get(4), versions.get(5), last).map(path -> path.getFileName().toString())
            .sorted().toList(), names(cache()));
    }

    @Test
    void otherContentGetsAnotherFolder() throws IOException {
        assertNotEquals(unpack(jar("one.jar", FIRST)), unpack(jar("two.jar", SECOND)));
    }

    @Test
    void aDamagedJarIsToldAndNothingAppears() throws IOException {
        Path jar = jar("some.jar", FIRST);
        byte[] damaged = Files.readAllBytes(jar);
        damaged[1000] ^= 1;
        Files.write(jar, damaged);
        String message = assertThrows(IOException.class, () -> unpack(jar)).getMessage();
        assertTrue(message.contains("some.jar is damaged"), message);
        try (Stream<Path> all = Files.walk(cache())) {
            assertEquals(List.of(), all.filter(Files::isRegularFile).toList());
        }
    }

    @Test
    void aCacheThatCannotBeMadeIsTold() throws IOException {
        Path jar = jar("some.jar", FIRST);
        Files.createFile(cache());
        assertThrows(IOException.class, () -> unpack(jar));
    }

    @Test
    void librariesThatAreFilesStayWhereTheyAre() throws IOException {
        Path library = Files.createFile(folder.resolve("libfirst.so"));
        assertEquals(Optional.of(folder),
            new LibraryCache(cache()).folder("some", library.toUri().toURL(), name -> true));
        assertEquals(false, Files.exists(cache()));
    }

    private Path cache() {
        return folder.resolve("cache");
    }

    private Path unpack(Path jar) throws IOException {
        return unpack(jar, cache());
    }

    static Path unpack(Path jar, Path cache) throws IOException {
        return new LibraryCache(cache).folder("some", url(jar), name -> name.endsWith(".so")).orElseThrow();
    }

    private static URL url(Path jar) throws MalformedURLException {
        return URI.create("jar:" + jar.toUri() + "!/native/libfirst.so").toURL();
    }

    private static void assertWhole(Path unpacked) throws IOException {
        assertEquals(List.of("libfirst.so", "libsecond.so"), names(unpacked));
        assertArrayEquals(FIRST, Files.readAllBytes(unpacked.resolve("libfirst.so")));
        assertArrayEquals(SECOND, Files.readAllBytes(unpacked.resolve("libsecond.so")));
    }

    private Path jar(String name, byte[] first) throws IOException {
        Path jar = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, "native/libfirst.so", first);
            put(zip, "native/libsecond.so", SECOND);
            put(zip, "native/readme.txt", "of no use".getBytes(StandardCharsets.UTF_8));
            put(zip, "other/libthird.so", SECOND);
        }
        return jar;
    }

    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    private static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
