package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Digests of large files, remembered in the store by path, size, time of modification and inode, so that a second start
 * does not read gigabytes of weights again.
 */
final class DigestMemory implements FileDigest {
    private static final Logger LOG = LoggerFactory.getLogger(EngineStore.class);

    /** Hashing less takes no longer than a few milliseconds. */
    private static final long LARGE_BYTES = 8L << 20;
    /** A file that was written this short ago may change once more without a new time, which some systems round. */
    private static final Duration SETTLED = Duration.ofSeconds(3);
    /** About a thousand digests. */
    private static final long MOST_BYTES = 4L << 20;

    private final StoreFolder folder;

    DigestMemory(StoreFolder folder) {
        this.folder = folder;
    }

    @Override
    public String of(Path file) throws IOException {
        Path real = file.toRealPath();
        EngineKey state = state(real);
        if (Files.size(real) < LARGE_BYTES) {
            return Sha256.ofFile(real);
        }
        String remembered = recall(state);
        if (remembered != null) {
            return remembered;
        }
        boolean settled = Files.getLastModifiedTime(real).toInstant().isBefore(Instant.now().minus(SETTLED));
        String digest = Sha256.ofFile(real);
        if (!state(real).equals(state)) {
            throw new IOException(file + " changed while it was read; wait until it is complete");
        }
        if (settled) {
            remember(state, digest);
        }
        return digest;
    }

    private static EngineKey state(Path file) throws IOException {
        BasicFileAttributes it = Files.readAttributes(file, BasicFileAttributes.class);
        return new EngineKey("digest of " + file, Map.of("path", file.toString(), "bytes", Long.toString(it.size()),
            "modified", Long.toString(it.lastModifiedTime().to(TimeUnit.NANOSECONDS)),
            "inode", String.valueOf(it.fileKey())));
    }

    private String recall(EngineKey state) {
        try (Arena arena = Arena.ofConfined()) {
            return folder.read(state, Kind.DIGEST, arena)
                .map(payload -> new String(payload.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII))
                .orElse(null);
        } catch (IOException unreadable) {
            LOG.debug("{} is not known: {}", state.name(), unreadable.getMessage());
            return null;
        }
    }

    private void remember(EngineKey state, String digest) {
        try (KeyLock _ = folder.lock(state, Kind.DIGEST)) {
            MemorySegment payload = MemorySegment.ofArray(digest.getBytes(StandardCharsets.US_ASCII));
            folder.write(new Label(state, Instant.now()), Kind.DIGEST, payload);
            folder.shrink(Kind.DIGEST, MOST_BYTES, folder.file(state.id(), Kind.DIGEST));
        } catch (IOException unwritable) {
            LOG.debug("{} cannot be remembered: {}", state.name(), unwritable.getMessage());
        }
    }
}
