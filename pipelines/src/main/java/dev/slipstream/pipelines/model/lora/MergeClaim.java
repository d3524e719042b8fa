package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a merge's folder from being deleted: a lock of its own, so that any number of users can have one. */
record MergeClaim(Path merge, KeyLock lock) implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MergeClaim.class);

    private static final Pattern NAME = Pattern.compile("([0-9a-f]{64})\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    /** The caller holds the lock of the merge itself, so that it is not being deleted. */
    static MergeClaim of(Path merge) throws IOException {
        return new MergeClaim(merge, KeyLock.acquire(merge.resolveSibling(merge.getFileName() + "."
            + UUID.randomUUID())));
    }

    /** Whether a lock is a claim to the merge. @param target what it is the lock of */
    static boolean isFor(Path merge, Path target) {
        Matcher name = NAME.matcher(target.getFileName().toString());
        return name.matches() && name.group(1).equals(merge.getFileName().toString());
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            // The lock itself is gone with its channel; its file goes with the next cleaning.
            LOG.warn("cannot give back a lock on {}: {}", merge, FileFailure.reason(e));
        }
    }
}
