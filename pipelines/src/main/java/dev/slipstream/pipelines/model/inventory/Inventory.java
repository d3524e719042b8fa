package dev.slipstream.pipelines.model.inventory;

import dev.slipstream.pipelines.model.inventory.FileNote.Use;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Every file of a folder, and what it is to the program: read, known to say nothing here, or neither. Only names and
 * sizes are looked at, so it says what is read, not whether that is in order. Links to files, as the hub's cache has
 * them, count as files. Immutable; prints as a table.
 *
 * @param folder what paths are relative to
 * @param entries by path; a folder that is not looked into is one entry, whose path ends with a slash
 * @param isComplete whether these are all; a folder of more files than any model has is not followed to its end
 */
public record Inventory(Path folder, List<Entry> entries, boolean isComplete) {
    private static final int MOST_ENTRIES = 10_000;
    private static final int NAMES_IN_WARNING = 8;

    /**
     * A file, or a folder with all that is in it.
     *
     * @param path as it is shown: control characters of a name that somebody chose are left out
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
     * @param rules the first that knows a file decides
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

    /** One sentence about what is not read and may say something; none where there is nothing of the kind. */
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

    /** A table: a line a file, under what becomes of it. */
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
}
