package dev.slipstream.pipelines.model.folder;

import dev.slipstream.pipelines.model.folder.Inventory.FileNote.Use;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Every file of a folder, and how the program treats it: read, known to be irrelevant, or neither. Only names and sizes
 * are looked at, so an inventory says which files are read, not whether they are valid. Links to files, as the hub's
 * cache has them, count as files. Immutable; prints as a table.
 *
 * @param folder the folder that paths are relative to
 * @param entries by path; a folder whose contents are not listed is one entry, whose path ends with a slash
 * @param isComplete whether all files are listed; listing stops at far more files than any model has
 */
public record Inventory(Path folder, List<Entry> entries, boolean isComplete) {
    private static final int MOST_ENTRIES = 10_000;
    private static final int NAMES_IN_WARNING = 8;

    /**
     * A file, or a folder with all that is in it.
     *
     * @param path as it is shown: without the control characters that a name may have
     */
    public record Entry(String path, FileNote note) {
        public Entry {
            path = path.replaceAll("\\p{C}", "?");
        }
    }

    public Inventory {
        entries = List.copyOf(entries);
    }

    /**
     * Looks at a folder and at the folders in it; one that cannot be listed is an entry that says so.
     *
     * @param rules for each file, the first rule that knows it decides
     */
    public static Inventory of(Path folder, List<FileRule> rules) {
        List<Entry> entries = new ArrayList<>();
        boolean complete = list(folder, "", rules, entries);
        return new Inventory(folder, entries, complete);
    }

    /** @param inside the folder to list, relative to the whole @return whether all was listed */
    private static boolean list(Path folder, String inside, List<FileRule> rules, List<Entry> entries) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder.resolve(inside))) {
            for (Path path : all) {
                if (entries.size() + found.size() >= MOST_ENTRIES) {
                    return false;
                }
                found.add(path);
            }
        } catch (IOException | DirectoryIteratorException e) {
            entries.add(new Entry(inside + "/", FileNote.unread("it cannot be listed")));
            return true;
        }
        found.sort(null);
        boolean complete = true;
        for (Path path : found) {
            String name = path.getFileName() + (Files.isDirectory(path) ? "/" : "");
            FileNote note = rules.stream().flatMap(rule -> rule.note(inside, name).stream()).findFirst()
                .orElse(FileNote.UNKNOWN);
            if (name.endsWith("/") && inside.isEmpty() && note.use() == Use.READ) {
                complete &= list(folder, path.getFileName().toString(), rules, entries);
            } else if (!name.endsWith("/") || note.use() != Use.UNREAD || !isEmpty(path)) {
                entries.add(new Entry(inside.isEmpty() ? name : inside + "/" + name, note));
            }
        }
        return complete;
    }

    private static boolean isEmpty(Path folder) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
            return !all.iterator().hasNext();
        } catch (IOException unreadable) {
            return false;
        }
    }

    /** The entries of one kind. */
    public List<Entry> entries(Use use) {
        return entries.stream().filter(entry -> entry.note().use() == use).toList();
    }

    /**
     * One sentence that names the files that are not read although they may matter; none if there are no such files.
     */
    public List<String> warnings() {
        List<Entry> unread = entries(Use.UNREAD);
        if (unread.isEmpty()) {
            return List.of();
        }
        String named = unread.stream().limit(NAMES_IN_WARNING).map(entry -> entry.path()
            + (entry.note().what().isEmpty() ? "" : " (" + entry.note().what() + ")")).collect(
            Collectors.joining(", "));
        int more = unread.size() - NAMES_IN_WARNING;
        return List.of("not read, though it may say something about the model: " + named
            + (more > 0 ? " and " + more + " more" : "") + " in " + folder);
    }

    /** A table with a line for each file, grouped by use. */
    @Override
    public String toString() {
        StringBuilder table = new StringBuilder(folder + "\n");
        int width = entries.stream().mapToInt(entry -> entry.path().length()).max().orElse(0);
        for (Use use : Use.values()) {
            List<Entry> some = entries(use);
            if (!some.isEmpty()) {
                table.append(switch (use) {
                    case READ -> "read\n";
                    case SILENT -> "not read, and says nothing here\n";
                    case UNREAD -> "not read\n";
                });
                some.forEach(entry -> table.append(("  %-" + width + "s  %s").formatted(entry.path(),
                    entry.note().what()).stripTrailing()).append('\n'));
            }
        }
        return isComplete ? table.toString() : table + "and more files\n";
    }

    /**
     * How the program treats a file, or a folder with all that is in it.
     *
     * @param what which part reads it, why it is irrelevant, or what may be lost by not reading it; empty if unknown
     */
    public record FileNote(Use use, String what) {
        /** How a file is used. */
        public enum Use {
            /** It is read, or would be for requests that need it. */
            READ,
            /** It is not read, and is irrelevant here. */
            SILENT,
            /** It is not read, although it may matter. */
            UNREAD
        }

        /** For files that no rule knows. */
        static final FileNote UNKNOWN = unread("");

        /** @param reader what is read from it */
        public static FileNote read(String reader) {
            return new FileNote(Use.READ, reader);
        }

        public static FileNote silent(String why) {
            return new FileNote(Use.SILENT, why);
        }

        /** @param advice what it seems to be, and how to have it read */
        public static FileNote unread(String advice) {
            return new FileNote(Use.UNREAD, advice);
        }
    }

    /** Knows some files by their names: those that a reader reads, or those that are irrelevant. */
    @FunctionalInterface
    public interface FileRule {
        /**
         * @param folder in which the file lies, relative to the whole; empty at the top
         * @param name of the file, or of a folder with a slash at its end. A folder at the top that is {@linkplain
         *     FileNote.Use#READ read} is listed, too; a note on any other folder covers all that is in it
         * @return empty if this rule does not know it
         */
        Optional<FileNote> note(String folder, String name);
    }
}
