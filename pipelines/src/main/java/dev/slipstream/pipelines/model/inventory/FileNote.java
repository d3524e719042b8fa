package dev.slipstream.pipelines.model.inventory;

/**
 * What a file, or a folder with all that is in it, is to the program.
 *
 * @param what who reads it, why it says nothing, or what may be wrong with leaving it out; empty for what is not known
 */
public record FileNote(Use use, String what) {
    /** What becomes of a file. */
    public enum Use {
        /** It is read, or would be for requests that need it. */
        READ,
        /** It is not read, and says nothing that matters here. */
        SILENT,
        /** It is not read, and may say something. */
        UNREAD
    }

    /** For files that nobody knows. */
    static final FileNote UNKNOWN = unread("");

    /** @param reader what is read from it */
    public static FileNote read(String reader) {
        return new FileNote(Use.READ, reader);
    }

    public static FileNote silent(String why) {
        return new FileNote(Use.SILENT, why);
    }

    /** @param advice what it seems to be, and what to do to have it read */
    public static FileNote unread(String advice) {
        return new FileNote(Use.UNREAD, advice);
    }
}
