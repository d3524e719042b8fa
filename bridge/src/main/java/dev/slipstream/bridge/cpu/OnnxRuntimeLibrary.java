package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import dev.slipstream.bridge.file.LibraryCache;
import dev.slipstream.bridge.file.TemporaryFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where ONNX Runtime's library is loaded from. By itself it unpacks its jar into a new temporary folder at each start,
 * which a killed process leaves behind; so it is told of a folder in the user's cache.
 */
final class OnnxRuntimeLibrary {
    /** ONNX Runtime's property for a folder. */
    static final String PATH = "onnxruntime.native.path";

    private static final Logger LOG = LoggerFactory.getLogger(OnnxRuntime.class);
    /**
     * A JVM binds the file of a library to one class loader, so the next copy of ONNX Runtime, as in another web
     * application, needs a file of its own. Properties are what all class loaders share.
     */
    private static final String LOADER = "dev.slipstream.onnxruntime.loader";
    private static final String NAME = "onnxruntime";

    private OnnxRuntimeLibrary() {
    }

    /**
     * Does what loads the library, while ONNX Runtime looks into the right folder, which it is given; empty if ONNX
     * Runtime unpacks itself.
     */
    static <T> T whileFound(Function<Optional<Path>, T> loading) {
        if (System.getProperty(PATH) != null) {
            return loading.apply(Optional.of(Path.of(System.getProperty(PATH))));
        }
        Optional<URL> library = Optional.ofNullable(OrtEnvironment.class.getResource("/ai/onnxruntime/native/"
            + platform() + "/" + System.mapLibraryName(NAME)));
        if (library.isEmpty()) {
            return loading.apply(Optional.empty());
        }
        TemporaryFolder.sweep();
        // Open until ONNX Runtime has opened it, too, so that it is loaded once.
        try (Arena arena = Arena.ofConfined()) {
            Optional<Path> folder = isFirst() ? cached(library.get(), arena) : Optional.empty();
            if (folder.isEmpty()) {
                folder = temporary(library.get());
            }
            folder.ifPresent(path -> System.setProperty(PATH, path.toString()));
            T loaded = loading.apply(folder);
            if (folder.isPresent()) {
                deleteEmptyFolder();
            }
            return loaded;
        } finally {
            // Another copy of ONNX Runtime would look there, too.
            System.clearProperty(PATH);
        }
    }

    /**
     * ONNX Runtime makes its temporary folder even where it unpacks nothing, and deletes it when Java ends, unless that
     * is killed. Only a private field knows its name.
     */
    private static void deleteEmptyFolder() {
        try {
            Field field = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
            field.setAccessible(true);
            if (field.get(null) instanceof Path folder) {
                Files.deleteIfExists(folder);
            }
        } catch (ReflectiveOperationException | RuntimeException | IOException otherVersion) {
            LOG.debug("ONNX Runtime's empty temporary folder stays until Java ends: {}", otherVersion.toString());
        }
    }

    private static boolean isFirst() {
        String own = Integer.toHexString(System.identityHashCode(OrtEnvironment.class.getClassLoader()));
        return own.equals(System.getProperties().computeIfAbsent(LOADER, unset -> own));
    }

    /** Empty if the cache cannot be used, or lies where nothing can be loaded from. */
    private static Optional<Path> cached(URL library, Arena arena) {
        try {
            Optional<Path> folder = LibraryCache.ofUser().folder(NAME, library, isLibrary());
            if (OnnxRuntimeLibrary.class.getModule().isNativeAccessEnabled()) {
                folder.ifPresent(path ->
                    SymbolLookup.libraryLookup(path.resolve(System.mapLibraryName(NAME)), arena));
            }
            return folder;
        } catch (IOException | RuntimeException unusable) {
            LOG.debug("ONNX Runtime is unpacked into a temporary folder: {}", unusable.toString());
            return Optional.empty();
        }
    }

    /** Deleted when Java ends; empty if ONNX Runtime's own way is the only one left. */
    private static Optional<Path> temporary(URL library) {
        try {
            return LibraryCache.temporary(NAME, library, isLibrary()).map(TemporaryFolder::path);
        } catch (IOException unusable) {
            LOG.debug("ONNX Runtime unpacks itself: {}", unusable.getMessage());
            return Optional.empty();
        }
    }

    /** Libraries for GPUs, which other artifacts have, look for each other side by side; folders of symbols do not. */
    private static Predicate<String> isLibrary() {
        return name -> !name.contains("/");
    }

    /** As ONNX Runtime calls it. */
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> "x64";
            default -> System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        };
        return (system.contains("mac") ? "osx" : system.contains("win") ? "win" : "linux") + "-" + processor;
    }
}
