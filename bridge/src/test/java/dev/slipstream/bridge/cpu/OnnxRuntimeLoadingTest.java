package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.cpu.OnnxRuntime.OnnxRuntimeLibrary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The steps by which ONNX Runtime is loaded, in this process, where it is loaded already. */
class OnnxRuntimeLoadingTest {
    private static final String LIBRARY = System.mapLibraryName("onnxruntime");

    @TempDir
    private Path folder;

    /** A user may have named a folder for the whole run, from which it is loaded first. */
    @BeforeEach
    @AfterEach
    void forgetTheFolder() {
        OnnxRuntime.availability();
        System.clearProperty(OnnxRuntimeLibrary.PATH);
    }

    @Test
    void theLibraryLiesInOneFolderWhileItIsLoadedAndOnnxRuntimeIsToldOfIt() throws IOException {
        Path found = OnnxRuntimeLibrary.whileFound(path -> {
            assertEquals(path.orElseThrow().toString(), System.getProperty(OnnxRuntimeLibrary.PATH));
            return path.orElseThrow();
        });
        assertNull(System.getProperty(OnnxRuntimeLibrary.PATH), "another copy of ONNX Runtime would look there too");
        try (Stream<Path> files = Files.list(found)) {
            List<String> names = files.map(file -> file.getFileName().toString()).toList();
            assertTrue(names.contains(LIBRARY) && names.contains(System.mapLibraryName("onnxruntime4j_jni")),
                names.toString());
            assertTrue(names.stream().noneMatch(name -> name.contains("dSYM")), names.toString());
        }
    }

    @Test
    void onnxRuntimeIsNotToldOfAFolderAfterAFailureEither() {
        IllegalStateException failure = new IllegalStateException("does not load");
        assertSame(failure, assertThrows(IllegalStateException.class, () -> OnnxRuntimeLibrary.whileFound(path -> {
            throw failure;
        })));
        assertNull(System.getProperty(OnnxRuntimeLibrary.PATH));
    }

    @Test
    void theFolderThatAUserNamesIsUsedAndStaysNamed() {
        System.setProperty(OnnxRuntimeLibrary.PATH, folder.toString());
        assertEquals(Optional.of(folder), OnnxRuntimeLibrary.whileFound(path -> path));
        assertEquals(folder.toString(), System.getProperty(OnnxRuntimeLibrary.PATH));
    }

    @Test
    void onnxRuntimeIsAvailableAndSaysWhereItsLibraryLies() {
        Availability.Available available = (Availability.Available) OnnxRuntime.availability();
        assertEquals("ONNX Runtime " + OnnxRuntime.environment().getVersion(), available.detail());
        assertTrue(Files.isRegularFile(OnnxRuntime.folder().orElseThrow().resolve(LIBRARY)));
        assertSame(OrtEnvironment.getEnvironment(), OnnxRuntime.environment());
        assertTrue(OnnxRuntime.environment().toString().startsWith("OrtEnvironment(name=slipstream,"));
    }

    /** The variable is what keeps ONNX Runtime's telemetry off, and ONNX Runtime reads it in C. */
    @Test
    void telemetryIsForbiddenInTheEnvironmentOfTheProcess() throws Throwable {
        SymbolLookup c = Linker.nativeLinker().defaultLookup();
        assumeTrue(c.find("unsetenv").isPresent(), "this system has no unsetenv");
        assumeTrue(System.getenv("ORT_DISABLE_TELEMETRY") == null, "the variable was set before Java started");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom("ORT_DISABLE_TELEMETRY");
            int unset = (int) Linker.nativeLinker().downcallHandle(c.find("unsetenv").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS)).invokeExact(name);
            assertEquals(0, unset);
            OnnxRuntime.Telemetry.forbid();
            MemorySegment value = (MemorySegment) Linker.nativeLinker().downcallHandle(
                c.find("getenv").orElseThrow(), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                .invokeExact(name);
            assertEquals("1", value.reinterpret(Long.MAX_VALUE).getString(0));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Error code - ORT_INVALID_GRAPH - message: This is an invalid model.  |This is an invalid model.",
        "'two\n  lines'|two lines", "no code|no code", "|null"})
    void onnxRuntimesReasonIsOneLineWithoutItsCode(String message, String reason) {
        assertEquals(reason, OnnxRuntime.reason(new OrtException(message)));
    }
}
