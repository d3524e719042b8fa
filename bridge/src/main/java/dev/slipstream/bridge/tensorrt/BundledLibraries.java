package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.file.LibraryCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * TensorRT's libraries in an artifact on the class path, unpacked side by side, as they look for each other there.
 */
final class BundledLibraries {
    private static final Pattern NEEDED = Pattern.compile(
        "(libnvinfer|libnvonnxparser|libnvinfer_builder_resource\\w*)\\.so[.\\d]*");

    private final ClassLoader classPath;
    private final String resources;
    private final LibraryCache cache;

    /** @param platform like {@code linux-x86_64} */
    BundledLibraries(ClassLoader classPath, String platform, Path cache) {
        this.classPath = classPath;
        this.resources = "org/bytedeco/tensorrt/" + platform + "/";
        this.cache = new LibraryCache(cache);
    }

    /**
     * The folder of the unpacked libraries; empty if there is no such artifact.
     *
     * @throws UncheckedIOException if they cannot be unpacked
     */
    Optional<Path> folder() {
        Optional<URL> library = Stream.of("10", "11").map(major -> resources + "libnvinfer.so." + major)
            .flatMap(name -> Stream.ofNullable(classPath.getResource(name))).findFirst();
        try {
            return library.isEmpty() ? Optional.empty()
                : cache.folder("tensorrt", library.get(), NEEDED.asMatchPredicate());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure.getMessage(), failure);
        }
    }
}
