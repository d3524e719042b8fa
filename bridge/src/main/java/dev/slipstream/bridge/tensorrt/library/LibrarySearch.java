package dev.slipstream.bridge.tensorrt.library;

import dev.slipstream.bridge.file.LibraryCache;
import dev.slipstream.bridge.tensorrt.abi.Callbacks;
import dev.slipstream.bridge.tensorrt.abi.Exports;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Looks for TensorRT's libraries. */
public final class LibrarySearch {
    /** A file or folder with TensorRT; before all other places. */
    static final String PROPERTY = "slipstream.tensorrt.path";
    static final String VARIABLE = "SLIPSTREAM_TENSORRT_PATH";

    private static final String INFER = "libnvinfer.so.";
    private static final String PARSER = "libnvonnxparser.so.";
    private static final Pattern NEEDED = Pattern.compile(
        "(libnvinfer|libnvonnxparser|libnvinfer_builder_resource\\w*)\\.so[.\\d]*");
    private static final List<String> MAJORS = List.of("10", "11");
    private static final String REMEDY = "install TensorRT 10 with its ONNX parser, set " + VARIABLE
        + " to its folder, or build with the Maven profile gpu";

    private final Optional<String> explicit;
    private final String platform;
    private final Function<String, Optional<Path>> bundled;
    private final Function<String, SymbolLookup> loader;
    private final List<String> tried = new ArrayList<>();

    /**
     * @param explicit the place that a user gave
     * @param platform operating system and processor, like {@code linux-x86_64}
     * @param bundled the folder of the libraries that are on the class path, by platform
     * @param loader loads a library by name or path, or throws an {@link IllegalArgumentException}
     */
    public LibrarySearch(Optional<String> explicit, String platform, Function<String, Optional<Path>> bundled,
            Function<String, SymbolLookup> loader) {
        this.explicit = explicit;
        this.platform = platform;
        this.bundled = bundled;
        this.loader = loader;
    }

    /**
     * Looks at the explicit place, then at the system's, then on the class path, and loads what it finds. A wrong
     * explicit place is not passed over. Touches no GPU and never throws.
     *
     * @param cacheFolder where libraries from the class path are unpacked to
     */
    public static TensorRtLibrary ofProcess(Path cacheFolder) {
        TensorRtLibrary found = here(cacheFolder).find();
        if (found instanceof TensorRtLibrary.Available(TensorRt tensorRt, String where)) {
            silenceAtShutdown(tensorRt.callbacks());
        }
        return found;
    }

    private static void silenceAtShutdown(Callbacks callbacks) {
        try {
            Runtime.getRuntime().addShutdownHook(
                Thread.ofPlatform().name("silence TensorRT").unstarted(callbacks::silence));
        } catch (IllegalStateException shuttingDown) {
            callbacks.silence();
        }
    }

    private static LibrarySearch here(Path cacheFolder) {
        Optional<String> explicit = Stream.of(System.getProperty(PROPERTY, ""), System.getenv().getOrDefault(VARIABLE,
            "")).filter(place -> !place.isBlank()).findFirst();
        // Never unloaded: TensorRT has threads of its own, and keeps the logger.
        return new LibrarySearch(explicit, platform(System.getProperty("os.name"), System.getProperty("os.arch")),
            platform -> bundled(LibrarySearch.class.getClassLoader(), platform, cacheFolder),
            name -> name.contains("/") ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
                : SymbolLookup.libraryLookup(name, Arena.global()));
    }

    /**
     * The folder of the libraries in an artifact on the class path, unpacked side by side, as they look for each other
     * there; empty if there is no such artifact.
     *
     * @throws UncheckedIOException if they cannot be unpacked
     */
    static Optional<Path> bundled(ClassLoader classPath, String platform, Path cacheFolder) {
        String resources = "org/bytedeco/tensorrt/" + platform + "/";
        Optional<URL> library = MAJORS.stream().flatMap(
            major -> Stream.ofNullable(classPath.getResource(resources + INFER + major))).findFirst();
        try {
            return library.isEmpty() ? Optional.empty()
                : new LibraryCache(cacheFolder).folder("tensorrt", library.get(), NEEDED.asMatchPredicate());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure.getMessage(), failure);
        }
    }

    public static String platform(String system, String processor) {
        String arch = switch (processor) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm64";
            default -> processor;
        };
        return system.toLowerCase(Locale.ROOT).replace(' ', '-') + "-" + arch;
    }

    public TensorRtLibrary find() {
        if (!List.of("linux-x86_64", "linux-arm64").contains(platform)) {
            return new TensorRtLibrary.Unavailable("TensorRT is called on Linux with x86-64 or aarch64, not on "
                + platform, "use the devices of the CPU");
        }
        try {
            return (explicit.isPresent() ? explicit(explicit.get()) : system().or(this::onClassPath))
                .orElseGet(() -> new TensorRtLibrary.Unavailable(String.join("; ", tried), REMEDY));
        } catch (IllegalCallerException forbidden) {
            return new TensorRtLibrary.Unavailable("this program may not load native libraries ("
                + forbidden.getMessage() + ")", "start Java with --enable-native-access");
        }
    }

    private Optional<TensorRtLibrary> explicit(String place) {
        Path path = Path.of(place);
        if (Files.isRegularFile(path)) {
            return load(path.toAbsolutePath().toString());
        }
        Optional<TensorRtLibrary> found = inFolder(path);
        if (found.isEmpty() && tried.isEmpty()) {
            tried.add("no libnvinfer.so.10 or libnvinfer.so.11 in " + place);
        }
        return found;
    }

    private Optional<TensorRtLibrary> system() {
        return MAJORS.stream().flatMap(major -> load(INFER + major).stream()).findFirst();
    }

    private Optional<TensorRtLibrary> onClassPath() {
        try {
            Optional<Path> folder = bundled.apply(platform);
            if (folder.isEmpty()) {
                tried.add("no artifact with TensorRT on the class path");
            }
            return folder.flatMap(this::inFolder);
        } catch (UncheckedIOException failure) {
            tried.add("the artifact on the class path cannot be unpacked: " + failure.getMessage());
            return Optional.empty();
        }
    }

    private Optional<TensorRtLibrary> inFolder(Path folder) {
        return MAJORS.stream().map(major -> folder.resolve(INFER + major)).filter(Files::exists)
            .flatMap(file -> load(file.toAbsolutePath().toString()).stream()).findFirst();
    }

    /** @param infer path or name of libnvinfer; the other libraries are looked for beside it, or by name */
    private Optional<TensorRtLibrary> load(String infer) {
        Optional<SymbolLookup> library = tryLoad(infer);
        if (library.isEmpty()) {
            return Optional.empty();
        }
        Exports exports = new Exports(library.get());
        if (!exports.areTensorRts()) {
            tried.add(infer + " is not TensorRT's");
            return Optional.empty();
        }
        Exports.Version version = exports.version();
        if (!version.isKnown()) {
            tried.add(infer + " is TensorRT " + version + ", and only 10.1 and later and 11 can be called");
            return Optional.empty();
        }
        String folder = infer.substring(0, infer.lastIndexOf('/') + 1);
        preloadBuilderResource(folder);
        SymbolLookup libraries = tryLoad(folder + PARSER + version.major()).map(library.get()::or)
            .orElse(library.get());
        return Optional.of(new TensorRtLibrary.Available(TensorRt.over(libraries, Arena.global()), infer));
    }

    /**
     * Until about 10.8 the builder looks for its one resource library by name, not beside itself. The system finds
     * what is loaded already.
     */
    private void preloadBuilderResource(String folder) {
        if (folder.isEmpty()) {
            return;
        }
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Path.of(folder), "libnvinfer_builder_resource.so.*")) {
            files.forEach(file -> tryLoad(file.toString()));
        } catch (IOException unreadable) {
            // Then the builder will say what it misses.
            tried.add(folder + " cannot be listed");
        }
    }

    private Optional<SymbolLookup> tryLoad(String library) {
        try {
            return Optional.of(loader.apply(library));
        } catch (IllegalArgumentException missing) {
            tried.add(library + " cannot be loaded");
            return Optional.empty();
        }
    }
}
