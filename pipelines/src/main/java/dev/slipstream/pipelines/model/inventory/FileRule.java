package dev.slipstream.pipelines.model.inventory;

import java.util.Optional;

/** Knows some files by their names: those that a reader reads, or that say nothing. */
@FunctionalInterface
public interface FileRule {
    /**
     * @param folder in which the file lies, relative to the whole; empty at the top
     * @param name of the file, or of a folder with a slash at its end. A folder at the top that is {@linkplain
     *     FileNote.Use#READ read} is looked into; a note about another is about all that is in it
     * @return empty if this rule does not know it
     */
    Optional<FileNote> note(String folder, String name);
}
