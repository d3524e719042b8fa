package dev.slipstream.bridge.tensorrt.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.tensorrt.abi.FakeTensorRt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where TensorRT is looked for, in which order, and what is told when it is nowhere. */
class LibrarySearchTest {
    private static final String LINUX = "linux-x86_64";

    @TempDir
    private Path folder;
    private final List<String> asked = new ArrayList<>();

    @Test
    void explicitFolderComesFirst() throws IOException {
        String library = Files.createFile(folder.resolve("libnvinfer.so.10")).toString();
        try (FakeTensorRt fake = new FakeTensorRt(10)) {
            TensorRtLibrary found = search(Optional.of(folder.toString()), none(),
                Map.of(library, fake, "libnvinfer.so.10", fake)).find();
            assertEquals(library, assertInstanceOf(TensorRtLibrary.Available.class, found).where());
            assertEquals(List.of(library, folder.resolve("libnvonnxparser.so.10").toString()), asked);
        }
    }

    @Test
    void explicitFileMayHaveAnyName() throws IOException {
        String library = Files.createFile(folder.resolve("libnvinfer.so.11.2.1")).toString();
        try (FakeTensorRt fake = new FakeTensorRt(11)) {
            TensorRtLibrary found = search(Optional.of(library), none(), Map.of(library, fake)).find();
            assertEquals(11, assertInstanceOf(TensorRtLibrary.Available.class, found).tensorRt().major());
        }
    }

    @Test
    void wrongExplicitPlaceIsToldAndNotPassedOver() {
        try (FakeTensorRt fake = new FakeTensorRt(10)) {
            TensorRtLibrary found = search(Optional.of(folder.toString()), none(),
                Map.of("libnvinfer.so.10", fake)).find();
            assertEquals("no libnvinfer.so.10 or libnvinfer.so.11 in " + folder,
                assertInstanceOf(TensorRtLibrary.Unavailable.class, found).reason());
        }
    }

    @Test
    void systemComesBeforeTheClassPath() {
        try (FakeTensorRt fake = new FakeTensorRt(11)) {
            TensorRtLibrary found = search(Optional.empty(), platform -> Optional.of(folder),
                Map.of("libnvinfer.so.11", fake)).find();
            assertEquals("libnvinfer.so.11", assertInstanceOf(TensorRtLibrary.Available.class, found).where());
        }
    }

    @Test
    void classPathComesLastAndResourcesOfOldVersionsAreLoadedAhead() throws IOException {
        String library = Files.createFile(folder.resolve("libnvinfer.so.10")).toString();
        String resource = Files.createFile(folder.resolve("libnvinfer_builder_resource.so.10.6.0")).toString();
        Files.createFile(folder.resolve("libnvinfer_builder_resource_sm90.so.10.15.1"));
        try (FakeTensorRt fake = new FakeTensorRt(10)) {
            TensorRtLibrary found = search(Optional.empty(), platform -> Optional.of(folder), Map.of(library, fake))
                .find();
            assertInstanceOf(TensorRtLibrary.Available.class, found);
            assertEquals(List.of("libnvinfer.so.10", "libnvinfer.so.11", library, resource,
                folder.resolve("libnvonnxparser.so.10").toString()), asked);
        }
    }

    @Test
    void nothingAnywhereListsWhatWasTried() {
        TensorRtLibrary.Unavailable none = assertInstanceOf(TensorRtLibrary.Unavailable.class,
            search(Optional.empty(), none(), Map.of()).find());
        assertEquals("libnvinfer.so.10 cannot be loaded; libnvinfer.so.11 cannot be loaded; no artifact with TensorRT "
            + "on the class path", none.reason());
        assertTrue(none.remedy().contains(LibrarySearch.VARIABLE));
    }

    @Test
    void unknownVersionsAreRefusedByName() {
        try (FakeTensorRt fake = new FakeTensorRt(12)) {
            TensorRtLibrary found = search(Optional.empty(), none(), Map.of("libnvinfer.so.11", fake)).find();
            String reason = assertInstanceOf(TensorRtLibrary.Unavailable.class, found).reason();
            assertTrue(reason.contains("libnvinfer.so.11 is TensorRT 12.2.3.7, and only 10.1 and later and 11 can be "
                + "called"), reason);
        }
    }

    @Test
    void otherLibrariesAreNotCalled() throws IOException {
        String library = Files.createFile(folder.resolve("libother.so")).toString();
        TensorRtLibrary found = new LibrarySearch(Optional.of(library), LINUX, none(), name -> symbol ->
            Optional.empty()).find();
        assertEquals(library + " is not TensorRT's",
            assertInstanceOf(TensorRtLibrary.Unavailable.class, found).reason());
    }

    @Test
    void failedUnpackingIsTold() {
        TensorRtLibrary found = search(Optional.empty(), platform -> {
            throw new UncheckedIOException(new IOException("disk full"));
        }, Map.of()).find();
        assertTrue(assertInstanceOf(TensorRtLibrary.Unavailable.class, found).reason().contains("disk full"));
    }

    @Test
    void forbiddenNativeAccessIsTold() {
        TensorRtLibrary found = new LibrarySearch(Optional.empty(), LINUX, none(), name -> {
            throw new IllegalCallerException("Illegal native access");
        }).find();
        assertTrue(assertInstanceOf(TensorRtLibrary.Unavailable.class, found).remedy()
            .contains("--enable-native-access"));
    }

    @Test
    void otherPlatformsAreNotAsked() {
        String platform = LibrarySearch.platform("Windows 11", "amd64");
        TensorRtLibrary found = new LibrarySearch(Optional.empty(), platform, none(), name -> {
            throw new AssertionError("loaded " + name);
        }).find();
        assertTrue(assertInstanceOf(TensorRtLibrary.Unavailable.class, found).reason().endsWith("windows-11-x86_64"));
        assertEquals("linux-arm64", LibrarySearch.platform("Linux", "aarch64"));
        assertEquals(LINUX, LibrarySearch.platform("Linux", "amd64"));
    }

    private static Function<String, Optional<Path>> none() {
        return platform -> Optional.empty();
    }

    private LibrarySearch search(Optional<String> explicit, Function<String, Optional<Path>> bundled,
            Map<String, FakeTensorRt> libraries) {
        Function<String, SymbolLookup> loader = name -> {
            asked.add(name);
            return Optional.ofNullable(libraries.get(name)).map(FakeTensorRt::lookup)
                .orElseThrow(() -> new IllegalArgumentException("Cannot open library: " + name));
        };
        return new LibrarySearch(explicit, LINUX, bundled, loader);
    }
}
