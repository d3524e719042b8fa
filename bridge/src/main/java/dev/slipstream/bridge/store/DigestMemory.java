package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.bridge.file.Uninterrupted;
import dev.slipstream.bridge.store.StoreFolder.Kind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Digests of large files, remembered in the store by path, size, time of modification and inode, so that a second start
 * does not read gigabytes of weights again.
 *
 * <p>Beside SHA-256 there are sums of 64 bits: CRC-32 and CRC-32C, whose polynomials differ. They keep up with the disk
 * whatever compiler Java uses, where its first one leaves SHA-256 at 100 MB a second, and tell files apart that nobody
 * has forged.
 */
final class DigestMemory implements WeightFiles.FileDigest {
    private static final Logger LOG = LoggerFactory.getLogger(EngineStore.class);

    /** Hashing less takes no longer than a few milliseconds. */
    private static final long LARGE_BYTES = 8L << 20;
    /** A file that was written this short ago may change once more without a new time, which some systems round. */
    private static final Duration SETTLED = Duration.ofSeconds(3);
    /** About a thousand digests. */
    private static final long MOST_BYTES = 4L << 20;

    private static final int CHUNK_BYTES = 1 << 20;

    private final StoreFolder folder;
    private final WeightFiles.FileDigest digest;
    /** What else a digest is remembered with. */
    private final Map<String, String> facts;

    private DigestMemory(StoreFolder folder, WeightFiles.FileDigest digest, Map<String, String> facts) {
        this.folder = folder;
        this.digest = digest;
        this.facts = facts;
    }

    /** SHA-256 of files. */
    static DigestMemory ofDigests(StoreFolder folder) {
        return new DigestMemory(folder, Sha256::ofFile, Map.of());
    }

    /** Sums of files. */
    static DigestMemory ofSums(StoreFolder folder) {
        return new DigestMemory(folder, DigestMemory::sum, Map.of("sum", "CRC-32 and CRC-32C"));
    }

    /**
     * Sums of files that the store has written, which count until the machine starts anew: what it had not written to
     * disk by then is lost, and the file's size and time do not tell. Where the system does not say when it started,
     * they are not remembered for longer than this process runs.
     */
    static DigestMemory ofWrittenSums(StoreFolder folder) {
        return new DigestMemory(folder, DigestMemory::sum,
            Map.of("sum", "CRC-32 and CRC-32C", "since", Boot.id()));
    }

    /** One start of the machine. */
    private static final class Boot {
        private static final Path LINUX = Path.of("/proc/sys/kernel/random/boot_id");

        static String id() {
            try {
                return Files.readString(LINUX).strip();
            } catch (IOException notLinux) {
                return ProcessHandle.current().pid() + " "
                    + ProcessHandle.current().info().startInstant().orElse(Instant.EPOCH);
            }
        }
    }

    private static String sum(Path file) throws IOException {
        return Uninterrupted.io(() -> {
            CRC32 first = new CRC32();
            CRC32C second = new CRC32C();
            try (FileChannel channel = InputFile.open(file)) {
                ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
                while (channel.read(chunk) >= 0) {
                    first.update(chunk.flip());
                    second.update(chunk.flip());
                    chunk.clear();
                }
            }
            return HexFormat.of().toHexDigits(first.getValue() << Integer.SIZE | second.getValue());
        });
    }

    @Override
    public String of(Path file) throws IOException {
        Path real = file.toRealPath();
        EngineKey state = state(real);
        if (Files.size(real) < LARGE_BYTES) {
            return digest.of(real);
        }
        String remembered = recall(state);
        if (remembered != null) {
            return remembered;
        }
        boolean settled = Files.getLastModifiedTime(real).toInstant().isBefore(Instant.now().minus(SETTLED));
        String found = digest.of(real);
        if (!state(real).equals(state)) {
            throw new IOException(file + " changed while it was read; wait until it is complete");
        }
        // What the store has written, nobody writes again.
        if (settled || facts.containsKey("since")) {
            remember(state, found);
        }
        return found;
    }

    private EngineKey state(Path file) throws IOException {
        BasicFileAttributes it = Files.readAttributes(file, BasicFileAttributes.class);
        Map<String, String> state = new HashMap<>(facts);
        state.putAll(Map.of("path", file.toString(), "bytes", Long.toString(it.size()),
            "modified", Long.toString(it.lastModifiedTime().to(TimeUnit.NANOSECONDS)),
            "inode", String.valueOf(it.fileKey())));
        return new EngineKey("digest of " + file, state);
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

    private void remember(EngineKey state, String found) {
        try (KeyLock _ = folder.lock(state, Kind.DIGEST)) {
            MemorySegment payload = MemorySegment.ofArray(found.getBytes(StandardCharsets.US_ASCII));
            folder.write(new Label(state, Instant.now()), Kind.DIGEST, payload);
            folder.shrink(Kind.DIGEST, MOST_BYTES, state);
        } catch (IOException unwritable) {
            LOG.debug("{} cannot be remembered: {}", state.name(), unwritable.getMessage());
        }
    }
}
