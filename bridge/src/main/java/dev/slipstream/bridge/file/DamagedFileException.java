package dev.slipstream.bridge.file;

import java.io.IOException;

/** A file that was kept is not what it should be. The message is the reason, as the rest of a sentence. */
public final class DamagedFileException extends IOException {
    private static final long serialVersionUID = 1;

    public DamagedFileException(String reason) {
        super(reason);
    }
}
