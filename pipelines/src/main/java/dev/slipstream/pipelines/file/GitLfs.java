package dev.slipstream.pipelines.file;

import dev.slipstream.bridge.file.InputFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Recognises the placeholder of a few lines that a clone without Git LFS has instead of a large file. */
public final class GitLfs {
    private static final String FIRST_LINE = "version https://git-lfs.github.com/spec/";

    private GitLfs() {
    }

    /** Whether such a placeholder begins like this. */
    public static boolean isPointer(String text) {
        return text.startsWith(FIRST_LINE);
    }

    public static boolean isPointer(Path file) throws IOException {
        return isPointer(new String(InputFile.head(file, FIRST_LINE.length()), StandardCharsets.ISO_8859_1));
    }

    /** The error for such a file. */
    public static String advice(Path file) {
        return file + " is a Git LFS pointer, not the file itself; run \"git lfs pull\" in its repository";
    }
}
