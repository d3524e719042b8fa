package dev.slipstream.samples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** Keeps results from taking the place of what they are made from, or of each other. */
public final class Overwriting {
    /** Folders of a component that lie in one another; the layout of diffusers has none. */
    private static final int DEEPEST = 4;

    private Overwriting() {
    }

    /**
     * @param option which says where the result goes
     * @param output may be null, and need not be there
     * @param others files that are read, or other results; by whatever names, and through links
     * @throws InputException if they are one file
     */
    public static void refuse(String option, Path output, Collection<Path> others) {
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

    /** All files of one component; of what is no folder or cannot be listed only the path, which others complain of. */
    public static List<Path> files(Path component) {
        try (Stream<Path> all = Files.walk(component, DEEPEST, FileVisitOption.FOLLOW_LINKS)) {
            return all.filter(file -> !Files.isDirectory(file)).toList();
        } catch (IOException | UncheckedIOException unreadable) {
            return List.of(component);
        }
    }

    /** All files of a model's components. What lies beside their folders, such as a picture, is not among them. */
    static List<Path> modelFiles(Path model) {
        try (Stream<Path> components = Files.list(model)) {
            return components.filter(Files::isDirectory).flatMap(component -> files(component).stream()).toList();
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
