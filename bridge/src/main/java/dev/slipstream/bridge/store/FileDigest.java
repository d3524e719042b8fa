package dev.slipstream.bridge.store;

import java.io.IOException;
import java.nio.file.Path;

/** How to come by the SHA-256 of a file: by reading it, or from memory. */
@FunctionalInterface
interface FileDigest {
    /** In hexadecimal digits. */
    String of(Path file) throws IOException;
}
