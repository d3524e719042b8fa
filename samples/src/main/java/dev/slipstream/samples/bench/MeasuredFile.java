package dev.slipstream.samples.bench;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.samples.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Files that measurements are written to, if the user named them. */
final class MeasuredFile {
    private MeasuredFile() {
    }

    /** Before minutes are spent. @param file may be null */
    static void check(Path file, String option) {
        if (file != null) {
            try {
                AtomicFile.checkWritable(file);
            } catch (IOException unwritable) {
                throw new InputException(unwritable.getMessage() + "; choose another " + option, unwritable);
            }
        }
    }

    /** Writes a line of text, or several. */
    static void write(Path file, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.UTF_8));
        AtomicFile.write(file, channel -> {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }
}
