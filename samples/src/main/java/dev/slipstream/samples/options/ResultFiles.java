package dev.slipstream.samples.options;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** The files that results go to: writable, and neither what the results are made from nor those of other results. */
public final class ResultFiles {
    /** How many levels of folders a component may have; the layout of diffusers has one. */
    private static final int DEEPEST = 4;

    private ResultFiles() {
    }

    /**
     * Before work begins: whether results can be written.
     *
     * @param option which says where they go
     * @throws InputException if they cannot
     */
    public static void checkWritable(String option, Collection<Path> outputs) {
        try {
            AtomicFile.checkWritable(outputs);
        } catch (IOException unwritable) {
            throw new InputException(unwritable.getMessage() + "; choose another " + option, unwritable);
        }
    }

    /**
     * Before work begins: whether a result would replace another file that is needed.
     *
     * @param option which says where the result goes
     * @param output may be null, and need not be there
     * @param others files that are read, or other results; links and other names of the same file are noticed
     * @throws InputException if one of them is the output
     */
    public static void refuseOverwriting(String option, Path output, Collection<Path> others) {
        if (output == null) {
            return;
        }
        boolean there = Files.exists(output);
        for (Path other : others) {
            if (there ? isSameFile(output, other) : !Files.exists(other) && isSamePlace(output, other)) {
                throw new InputException(option + " " + output + " would take the place of " + other
                    + "; choose another " + option);
            }
        }
    }

    /** All files of one component; the path alone if it is no folder or cannot be listed, as its reader reports. */
    public static List<Path> ofComponent(Path component) {
        try (Stream<Path> all = Files.walk(component, DEEPEST, FileVisitOption.FOLLOW_LINKS)) {
            return all.filter(file -> !Files.isDirectory(file)).toList();
        } catch (IOException | UncheckedIOException unreadable) {
            return List.of(component);
        }
    }

    /** All files of a model's components. Files beside their folders, such as a picture, are not among them. */
    static List<Path> ofModel(Path model) {
        try (Stream<Path> components = Files.list(model)) {
            return components.filter(Files::isDirectory).flatMap(component -> ofComponent(component).stream()).toList();
        } catch (IOException | UncheckedIOException unreadable) {
            return List.of();
        }
    }

    private static boolean isSameFile(Path output, Path other) {
        try {
            return Files.isSameFile(output, other);
        } catch (IOException missing) {
            return false;
        }
    }

    private static boolean isSamePlace(Path output, Path other) {
        try {
            return place(output).equals(place(other));
        } catch (IOException unreadable) {
            return false;
        }
    }

    private static Path place(Path file) throws IOException {
        Path whole = file.toAbsolutePath().normalize();
        return whole.getParent() == null ? whole : whole.getParent().toRealPath().resolve(whole.getFileName());
    }
}
