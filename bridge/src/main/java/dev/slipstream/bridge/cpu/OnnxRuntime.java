package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.file.JarLibraries;
import dev.slipstream.bridge.file.LibraryCache;
import dev.slipstream.bridge.file.TemporaryFolder;
import dev.slipstream.bridge.file.UserCache;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.module.ModuleDescriptor.Version;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.logging.Level;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime, of which a process has one environment, made at the first call. This is the only place where
 * Slipstream does, so that it writes and sends nothing. A program that uses ONNX Runtime itself calls
 * {@link OrtEnvironment#getEnvironment()} afterwards and gets the same; where it was first, its own is used.
 */
public final class OnnxRuntime {
    private static final String NAME = "slipstream";

    private OnnxRuntime() {
    }

    /** Loaded once, by the first who asks: a library that did not load will not load later. */
    private static final class Loaded {
        private static final Attempt ATTEMPT = load();
    }

    private sealed interface Attempt {
        /** @param folder where the library was loaded from; empty if it has unpacked itself */
        record Made(OrtEnvironment environment, Optional<Path> folder) implements Attempt {
        }

        record Failed(Availability.Unavailable why) implements Attempt {
        }
    }

    /** Loads the library, if this is the first call. Never throws. */
    static Availability availability() {
        return switch (Loaded.ATTEMPT) {
            case Attempt.Made made -> new Availability.Available("ONNX Runtime " + made.environment().getVersion());
            case Attempt.Failed failed -> failed.why();
        };
    }

    /**
     * The environment. Any thread may ask.
     *
     * @throws DeviceUnavailableException if ONNX Runtime does not load here
     */
    public static OrtEnvironment environment() {
        return switch (Loaded.ATTEMPT) {
            case Attempt.Made made -> made.environment();
            case Attempt.Failed(Availability.Unavailable(String reason, String remedy)) ->
                throw new DeviceUnavailableException(reason + "; " + remedy);
        };
    }

    /** Where its library was loaded from; empty if it was not, or has unpacked itself. */
    public static Optional<Path> folder() {
        return Loaded.ATTEMPT instanceof Attempt.Made made ? made.folder() : Optional.empty();
    }

    private static Attempt load() {
        try {
            Telemetry.forbid();
            return OnnxRuntimeLibrary.whileFound(OnnxRuntime::made);
        } catch (IllegalCallerException forbidden) {
            return failed("this program may not call native code (" + forbidden.getMessage() + ")",
                "start Java with --enable-native-access");
        } catch (LinkageError | RuntimeException failure) {
            return failed("ONNX Runtime's native library does not load: " + rootMessage(failure),
                "ONNX Runtime has libraries for 64-bit Linux with glibc, macOS on ARM and Windows; they are unpacked "
                    + "into " + UserCache.folder() + " or java.io.tmpdir (" + System.getProperty("java.io.tmpdir")
                    + "), one of which must allow executable files, and the second be writable; -D"
                    + OnnxRuntimeLibrary.PATH + "=FOLDER uses a library from elsewhere");
        }
    }

    private static Attempt failed(String reason, String remedy) {
        return new Attempt.Failed(new Availability.Unavailable(reason, remedy));
    }

    private static Attempt made(Optional<Path> folder) {
        OrtEnvironment environment = ProcessExit.hold(OnnxRuntime::make);
        Telemetry.switchOff(environment);
        if (!environment.toString().startsWith("OrtEnvironment(name=" + NAME + ",")) {
            Telemetry.warnIfOn(environment);
        }
        return new Attempt.Made(environment, folder);
    }

    private static OrtEnvironment make() {
        // Where another has made it, ONNX Runtime warns that our name and level are not taken. Telemetry says more.
        java.util.logging.Logger logger = java.util.logging.Logger.getLogger(OrtEnvironment.class.getName());
        Level level = logger.getLevel();
        logger.setLevel(Level.OFF);
        try {
            // Warnings are about graphs that run all the same, and errors come as exceptions.
            return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, NAME);
        } finally {
            logger.setLevel(level);
        }
    }

    /** What ONNX Runtime says, in one line and without its error code. */
    static String reason(OrtException failure) {
        return String.valueOf(failure.getMessage()).replaceFirst("^Error code - \\w+ - message: ", "")
            .replaceAll("\\s+", " ").strip();
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage().lines().findFirst().orElse("");
    }

    /**
     * Keeps ONNX Runtime's telemetry off. Since 1.29 its libraries for Linux and macOS write a device number and events
     * into the user's cache, send them, and overflow the stack where the command line is long. They read a variable
     * when the environment is made, and never again; Java cannot set variables, so the C library does. It stays set: a
     * second copy of the library in this process reads it too. Programs that Java starts do not get it, as Java gives
     * them the variables that it found itself. On Windows there is a switch, and nothing else.
     *
     * @see <a href="https://github.com/microsoft/onnxruntime/blob/v1.29.0/docs/Privacy.md">ONNX Runtime's privacy
     *     page</a>
     */
    static final class Telemetry {
        private static final Logger LOG = LoggerFactory.getLogger(OnnxRuntime.class);
        private static final String VARIABLE = "ORT_DISABLE_TELEMETRY";
        private static final String OFF = "1";
        private static final Version FIRST_TO_WRITE = Version.parse("1.29");

        private Telemetry() {
        }

        /**
         * Before ONNX Runtime is loaded.
         *
         * @throws IllegalCallerException if this module may not call native code
         * @throws IllegalStateException if the variable cannot be set
         */
        static void forbid() {
            // Reading it first also makes Java copy its variables before there is one more.
            if (OFF.equals(System.getenv(VARIABLE))) {
                return;
            }
            Linker linker = Linker.nativeLinker();
            Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
            if (setenv.isEmpty()) {
                // Windows, where the library reads no variable.
                return;
            }
            MethodHandle call = linker.downcallHandle(setenv.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
            int failed;
            try (Arena arena = Arena.ofConfined()) {
                failed = (int) call.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(OFF), 1);
            } catch (Throwable impossible) {
                throw new IllegalStateException("setenv cannot be called: " + impossible, impossible);
            }
            if (failed != 0) {
                throw new IllegalStateException("the variable " + VARIABLE + " cannot be set");
            }
        }

        /**
         * The switch: on Windows the only one, elsewhere the one that is left in an environment that others have made.
         */
        static void switchOff(OrtEnvironment environment) {
            try {
                environment.setTelemetry(false);
            } catch (OrtException refused) {
                LOG.warn("ONNX Runtime's telemetry cannot be switched off: {}", reason(refused));
            }
        }

        /** Says that it came too late. */
        static void warnIfOn(OrtEnvironment foreign) {
            if (!OFF.equals(System.getenv(VARIABLE))
                && Version.parse(foreign.getVersion()).compareTo(FIRST_TO_WRITE) >= 0) {
                LOG.warn("this program made its OrtEnvironment before Slipstream could turn ONNX Runtime's telemetry "
                    + "off, which may have written and sent data; open Slipstream's devices first, or set {}={} "
                    + "before Java starts", VARIABLE, OFF);
            }
        }
    }

    /**
     * Where ONNX Runtime's library is loaded from. By itself it unpacks its jar into a new temporary folder at each
     * start, which a killed process leaves behind; so it is told of a folder in the user's cache.
     */
    static final class OnnxRuntimeLibrary {
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
         * ONNX Runtime makes its temporary folder even where it unpacks nothing, and deletes it when Java ends, unless
         * that is killed. Only a private field knows its name.
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
                Optional<JarLibraries> inJar = JarLibraries.beside(library, isLibrary());
                if (inJar.isEmpty()) {
                    return Optional.empty();
                }
                try (JarLibraries libraries = inJar.get()) {
                    return Optional.of(libraries.unpackTemporarily(NAME).path());
                }
            } catch (IOException unusable) {
                LOG.debug("ONNX Runtime unpacks itself: {}", unusable.getMessage());
                return Optional.empty();
            }
        }

        /**
         * Libraries for GPUs, which other artifacts have, look for each other side by side; folders of symbols do not.
         */
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
}
