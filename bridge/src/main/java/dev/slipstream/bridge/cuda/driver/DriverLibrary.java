package dev.slipstream.bridge.cuda.driver;

import dev.slipstream.jextract.cuda.CudaDriver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The library of the CUDA driver: where it is, and opening it. A process has one driver, so what was opened first
 * stays.
 *
 * @param explicit the file to open; empty for the system's
 */
public record DriverLibrary(Optional<Path> explicit) {
    /** Names the library's file, for a driver that the system's loader does not find. */
    public static final String PROPERTY = "slipstream.cuda.driver";

    private static final String SYSTEM_NAME = "libcuda.so.1";
    private static final int TOLD_FUNCTIONS = 3;

    /** There is no library, or it is not one; the message says what was tried. */
    public static final class NotFoundException extends Exception {
        private static final long serialVersionUID = 1;

        NotFoundException(String message) {
            super(message);
        }
    }

    /** What {@link #PROPERTY} names, or else the system's. */
    public static DriverLibrary ofProcess() {
        return new DriverLibrary(Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of));
    }

    /** Opens the library and makes sure that it has every function that is called. */
    public Driver open() throws NotFoundException {
        Path file = explicit.isPresent() ? explicit.get().toAbsolutePath() : system();
        try {
            // The generated bindings look functions up in what their class loader has opened, so not dlopen but this.
            System.load(file.toString());
        } catch (UnsatisfiedLinkError refused) {
            throw new NotFoundException(firstLine(refused));
        }
        SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
        List<String> missing = functions().stream().filter(name -> symbols.find(name).isEmpty()).toList();
        if (!missing.isEmpty()) {
            throw new NotFoundException(file + " is too old or no CUDA driver: it lacks " + told(missing));
        }
        return new Driver(file);
    }

    /** Lets the system's loader find the library, then asks where it found it. */
    private static Path system() throws NotFoundException {
        try {
            SymbolLookup.libraryLookup(SYSTEM_NAME, Arena.global());
        } catch (IllegalArgumentException absent) {
            throw new NotFoundException("there is no " + SYSTEM_NAME + " where the system looks for libraries");
        }
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.map(line -> line.substring(line.lastIndexOf(' ') + 1))
                .filter(path -> path.contains("/libcuda.so")).map(Path::of).findFirst()
                .orElseThrow(() -> new NotFoundException(SYSTEM_NAME + " was loaded from nowhere"));
        } catch (IOException | UncheckedIOException noProcessFiles) {
            throw new NotFoundException("CUDA needs Linux with /proc: " + noProcessFiles.getMessage());
        }
    }

    private static List<String> functions() {
        String option = "--include-function ";
        try (InputStream list = CudaDriver.class.getResourceAsStream("cuda.symbols")) {
            return new String(list.readAllBytes(), StandardCharsets.UTF_8).lines()
                .filter(line -> line.startsWith(option)).map(line -> line.substring(option.length())).toList();
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }

    private static String told(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(TOLD_FUNCTIONS, names.size())));
        return names.size() <= TOLD_FUNCTIONS ? first : first + " and " + (names.size() - TOLD_FUNCTIONS) + " more";
    }

    private static String firstLine(Throwable failure) {
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("it does not load");
    }
}
