package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why work on a file failed. */
public final class FileFailure {
    private FileFailure() {
    }

    /** In words: the message of a file system's exception is often no more than the name of the file. */
    public static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException gone -> "no file can be made there";
            case AccessDeniedException denied -> "no permission";
            case FileAlreadyExistsException inTheWay -> "something else is in its place";
            case DirectoryNotEmptyException full -> "it is a folder that is not empty";
            case FileSystemException system when system.getReason() != null -> system.getReason();
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
