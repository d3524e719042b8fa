package dev.slipstream.bridge.rival;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The shared libraries that {@code bridge/src/jmh/run} compiled. Once loaded they serve whatever asks for libraries of
 * their names, so JNI's side and ours call the same code, and nothing that is installed.
 */
public final class NativeLibraries {
    private final Path folder;

    private NativeLibraries(Path folder) {
        this.folder = folder;
    }

    public static NativeLibraries ofProcess() {
        String folder = System.getProperty("rival.libraries");
        if (folder == null) {
            throw new IllegalStateException("start this with bridge/src/jmh/run, which compiles the libraries first");
        }
        return new NativeLibraries(Path.of(folder));
    }

    /**
     * Loads everything that JNI's side wants to find.
     *
     * @param driver {@code null} or {@code fake}
     * @return the driver's file
     */
    public Path load(String driver) {
        Path file = folder.resolve(driver).resolve("libcuda.so.1");
        System.load(file.toString());
        others().forEach(library -> System.load(library.toString()));
        return file;
    }

    /** TensorRT's file. */
    public Path tensorRt() {
        return folder.resolve("libnvinfer.so.10");
    }

    private List<Path> others() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().contains(".so.")).sorted().toList();
        } catch (IOException missing) {
            throw new IllegalStateException("the libraries are not in " + folder, missing);
        }
    }
}
