package dev.slipstream.bridge.store;

import java.util.Locale;
import java.util.regex.Pattern;

/** What a stored file is for. */
enum Kind {
    /** A compiled engine. */
    ENGINE,
    /** What a compiler remembers of its measurements. */
    TIMING,
    /** The digest of a large weight file. */
    DIGEST;

    private final String ending = "." + name().toLowerCase(Locale.ROOT);
    private final Pattern file = Pattern.compile("[0-9a-f]{64}" + Pattern.quote(ending));

    String fileName(String id) {
        return id + ending;
    }

    boolean isFileName(String name) {
        return file.matcher(name).matches();
    }
}
