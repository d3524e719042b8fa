package dev.slipstream.pipelines.graph;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Tells what people take for an ONNX file and is none, before a parser stumbles over it. */
final class FileKind {
    private static final int HEAD = 64;
    /** How an ONNX file starts: field 1 of the message, the IR version, as a varint. */
    private static final int IR_VERSION_TAG = 0x08;
    /** What an array can hold, which is a little less than a protobuf message. */
    static final long MOST_BYTES = Integer.MAX_VALUE - 8;

    private FileKind() {
    }

    static void check(Path file) {
        byte[] head;
        long size;
        try {
            head = InputFile.head(file, HEAD);
            size = Files.size(file);
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        }
        if (head.length == 0) {
            throw new GraphException(file + " is empty");
        }
        if (size > MOST_BYTES) {
            throw new GraphException(file + " is larger than 2 GiB, which no ONNX file can be; weights beyond that "
                + "belong in external data");
        }
        String text = new String(head, StandardCharsets.ISO_8859_1).stripLeading().toLowerCase(Locale.ROOT);
        if (GitLfs.isPointer(text)) {
            throw new GraphException(GitLfs.advice(file));
        }
        if (text.startsWith("<!doctype") || text.startsWith("<html") || text.startsWith("<?xml")) {
            throw new GraphException(file + " is a web page, not an ONNX file; the download went wrong");
        }
        if (head.length < 2 || head[0] != IR_VERSION_TAG || head[1] <= 0) {
            throw new GraphException(file + " is not an ONNX file");
        }
    }
}
