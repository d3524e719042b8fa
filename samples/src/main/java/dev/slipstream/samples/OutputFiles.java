package dev.slipstream.samples;

import dev.slipstream.bridge.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** The names of the pictures of one call, known to be writable before anything is drawn. */
final class OutputFiles {
    private static final String ENDING = ".png";
    private static final int MOST = 10_000;

    private final List<Path> files;

    private OutputFiles(List<Path> files) {
        this.files = List.copyOf(files);
    }

    /**
     * Names the files: the one given, or with a number before its ending where there are several.
     *
     * @throws InputException if one of them cannot be written
     */
    static OutputFiles of(Path file, int count) {
        if (count < 1) {
            throw new InputException("--count takes 1 or more pictures, not " + count + "; leave it out for one");
        }
        if (count > MOST) {
            throw new InputException("--count takes at most " + MOST + " pictures, not " + count + "; call it again "
                + "for more");
        }
        Path name = file.getFileName();
        if (name == null || !name.toString().toLowerCase(Locale.ROOT).endsWith(ENDING)) {
            throw new InputException("pictures are written as PNG, so '" + file + "' cannot be the --output; give a "
                + "name that ends with " + ENDING);
        }
        List<Path> files = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            files.add(count == 1 ? file : ending(file, "-" + number + ENDING));
        }
        try {
            AtomicFile.checkWritable(files);
        } catch (IOException unwritable) {
            throw new InputException(unwritable.getMessage() + "; choose another --output", unwritable);
        }
        return new OutputFiles(files);
    }

    /** @param read what the pictures are made from. @throws InputException if it would be lost */
    void refuseOverwriting(Collection<Path> read) {
        for (int index = 0; index < files.size(); index++) {
            Overwriting.refuse("--output", files.get(index), read);
            Overwriting.refuse("--output", preview(index), read);
        }
    }

    private static Path ending(Path file, String ending) {
        String name = file.getFileName().toString();
        return file.resolveSibling(name.substring(0, name.length() - ENDING.length()) + ending);
    }

    int count() {
        return files.size();
    }

    Path picture(int index) {
        return files.get(index);
    }

    /** Where unfinished pictures go, beside the finished one. */
    Path preview(int index) {
        return ending(files.get(index), ".preview" + ENDING);
    }
}
