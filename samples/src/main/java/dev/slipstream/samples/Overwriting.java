package dev.slipstream.samples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/** Keeps results from taking the place of what they are made from, or of each other. */
public final class Overwriting {
    private Overwriting() {
    }

    /**
     * @param option which says where the result goes
     * @param output may be null, and need not be there
     * @param others files that are read, or other results, by whatever names, and through links; a folder stands for
     *     all files that are in it by now, also further down
     * @throws InputException if they are one file
     */
    public static void refuse(String option, Path output, Collection<Path> others) {
        for (Path other : others) {
            if (output != null && isAmong(output, other)) {
                throw new InputException(option + " " + output + " would take the place of " + other
                    + "; choose another " + option);
            }
        }
    }

    private static boolean isAmong(Path output, Path other) {
        try {
            if (Files.isDirectory(other)) {
                return Files.exists(output) && (output.toRealPath().startsWith(other.toRealPath())
                    || place(output).startsWith(other.toRealPath()));
            }
            return Files.exists(output) && Files.exists(other) ? Files.isSameFile(output, other)
                : place(output).equals(place(other));
        } catch (IOException unreadable) {
            return false;
        }
    }

    private static Path place(Path file) throws IOException {
        Path whole = file.toAbsolutePath().normalize();
        return whole.getParent() == null ? whole : whole.getParent().toRealPath().resolve(whole.getFileName());
    }
}
