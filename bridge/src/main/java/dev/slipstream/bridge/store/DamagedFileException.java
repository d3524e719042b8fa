package dev.slipstream.bridge.store;

import java.io.IOException;

/** A stored file is not what it should be. The message is the reason, as the rest of a sentence. */
final class DamagedFileException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedFileException(String reason) {
        super(reason);
    }
}
