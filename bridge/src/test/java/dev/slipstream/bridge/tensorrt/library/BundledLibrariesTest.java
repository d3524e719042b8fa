package dev.slipstream.bridge.tensorrt.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Libraries in an artifact are unpacked side by side, once, and all or none. */
class BundledLibrariesTest {
    private static final String LINUX = "linux-x86_64";

    @TempDir
    private Path folder;

    @Test
    void neededLibrariesAreUnpackedOnce() throws IOException {
        Path jar = jar("first.jar", "content", "libnvinfer.so.10", "libnvinfer_builder_resource_ptx.so.10.15.1",
            "libnvonnxparser.so.10", "libnvinfer_plugin.so.10", "libjninvinfer.so");
        Path unpacked = unpack(jar).orElseThrow();
        assertEquals(List.of("libnvinfer.so.10", "libnvinfer_builder_resource_ptx.so.10.15.1",
            "libnvonnxparser.so.10"), names(unpacked));
        assertEquals("content", Files.readString(unpacked.resolve("libnvinfer.so.10")));
        Path mark = Files.createFile(unpacked.resolve("mark"));
        assertEquals(Optional.of(unpacked), unpack(jar));
        assertEquals(true, Files.exists(mark), "unpacked again");
        assertEquals(List.of(unpacked.getFileName().toString()), names(unpacked.getParent()));
    }

    @Test
    void otherContentGetsAFolderOfItsOwn() throws IOException {
        Path first = unpack(jar("first.jar", "one", "libnvinfer.so.11")).orElseThrow();
        Path second = unpack(jar("second.jar", "two", "libnvinfer.so.11")).orElseThrow();
        assertNotEquals(first, second);
    }

    @Test
    void withoutAnArtifactThereIsNone() throws IOException {
        assertEquals(Optional.empty(), unpack(jar("empty.jar", "content", "readme.txt")));
    }

    @Test
    void failureLeavesNothing() throws IOException {
        Path jar = jar("first.jar", "content", "libnvinfer.so.10");
        Files.createFile(folder.resolve("cache"));
        assertThrows(UncheckedIOException.class, () -> unpack(jar));
        assertEquals(List.of("cache", "first.jar"), names(folder));
    }

    private Optional<Path> unpack(Path jar) throws IOException {
        try (URLClassLoader classPath = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            return LibrarySearch.bundled(classPath, LINUX, folder.resolve("cache"));
        }
    }

    private Path jar(String name, String content, String... libraries) throws IOException {
        Path jar = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(out)) {
            for (String library : libraries) {
                zip.putNextEntry(new ZipEntry("org/bytedeco/tensorrt/" + LINUX + "/" + library));
                zip.write(content.getBytes(StandardCharsets.UTF_8));
                zip.closeEntry();
            }
        }
        return jar;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
