package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.Uninterrupted;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Collection;
import java.util.zip.CRC32C;

/**
 * What has changed among entries, one record after another, which all processes read as it grows; only who holds the
 * lock of the entries appends. Big-endian:
 *
 * <pre>
 *  8  magic          12  then for each record:  4  n, its length
 *  4  version                                   n  the record
 *  8  generation                                4  CRC-32C of its place in the file and of the record
 * </pre>
 *
 * <p>A file that is written anew, whole or not at all, has another generation, so that readers begin again. What a
 * killed process has left of a record at the end is passed over, and who writes next writes the file anew. Nothing
 * depends on this file: it can be made of the entries, but for what they have been good for.
 *
 * <p>One thread at a time.
 */
final class IndexFile {
    static final String NAME = "index";

    private static final long MAGIC = 0x0a1a_0a0d_5849_4c89L;
    private static final int VERSION = 2;
    private static final int HEADER_BYTES = 2 * Long.BYTES + Integer.BYTES;
    private static final int FRAME_BYTES = 2 * Integer.BYTES;
    private static final int MOST_RECORD_BYTES = 1 << 19;
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path file;
    private long generation;
    private long end;

    IndexFile(Path folder) {
        this.file = folder.resolve(NAME);
    }

    /** A record. */
    sealed interface Change {
    }

    /** An entry is there. */
    record Added(Card card, long bytes, Usage usage) implements Change {
    }

    /** An entry has served, or its worth is another for some other reason. */
    record Used(String id, Usage usage) implements Change {
    }

    /** An entry is gone. @param clock see {@link Usage} */
    record Dropped(String id, double clock) implements Change {
    }

    /** Takes what is read. */
    interface Reader {
        /** What was read before is void. @param generation of what is read now; 0 for nothing */
        void restart(long generation);

        void read(Change change);
    }

    long bytes() {
        return end;
    }

    /**
     * Reads what is new since the last time.
     *
     * @return whether all of the file was read; if not, it is missing, or damaged from some place on
     */
    boolean read(Reader reader) throws IOException {
        // Done over when interrupted: each record that was read has moved the end.
        return Uninterrupted.io(() -> {
            try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                long found = generation(channel);
                if (found != generation || channel.size() < end) {
                    reader.restart(found);
                    generation = found;
                    end = HEADER_BYTES;
                }
                return generation != 0 && readRecords(channel, reader);
            } catch (NoSuchFileException absent) {
                if (generation != 0) {
                    reader.restart(0);
                    generation = 0;
                    end = 0;
                }
                return false;
            }
        });
    }

    /** That of the file of a folder; 0 if there is none. */
    static long generation(Path folder) throws IOException {
        return Uninterrupted.io(() -> {
            try (FileChannel channel = FileChannel.open(folder.resolve(NAME), StandardOpenOption.READ,
                LinkOption.NOFOLLOW_LINKS)) {
                return generation(channel);
            } catch (NoSuchFileException absent) {
                return 0L;
            }
        });
    }

    /** 0 for a file that does not begin as it should. */
    private static long generation(FileChannel channel) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        fill(channel, header, 0);
        return header.flip().remaining() < HEADER_BYTES || header.getLong() != MAGIC || header.getInt() != VERSION ? 0
            : header.getLong();
    }

    private boolean readRecords(FileChannel channel, Reader reader) throws IOException {
        while (end < channel.size()) {
            ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, channel.size() - end));
            fill(channel, chunk, end);
            chunk.flip();
            long before = end;
            try {
                while (chunk.remaining() >= FRAME_BYTES) {
                    int length = chunk.getInt(chunk.position());
                    if (length < 1 || length > MOST_RECORD_BYTES) {
                        return false;
                    }
                    if (length > chunk.remaining() - FRAME_BYTES) {
                        break;
                    }
                    ByteBuffer record = chunk.slice(chunk.position() + Integer.BYTES, length);
                    if (chunk.getInt(chunk.position() + Integer.BYTES + length) != checksum(end, record)) {
                        return false;
                    }
                    reader.read(decoded(record));
                    chunk.position(chunk.position() + FRAME_BYTES + length);
                    end += FRAME_BYTES + length;
                }
            } catch (DamagedFileException malformed) {
                return false;
            }
            if (end == before) {
                return false;
            }
        }
        return true;
    }

    private static void fill(FileChannel channel, ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            int count = channel.read(bytes, at);
            if (count < 0) {
                return;
            }
            at += count;
        }
    }

    /** Adds a record to a file of which all was read. */
    void append(Change change) throws IOException {
        byte[] record = framed(end, change);
        Uninterrupted.io(() -> {
            try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
                write(channel, ByteBuffer.wrap(record), end);
                return null;
            }
        });
    }

    private static void write(FileChannel channel, ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Writes the file anew. The next {@link #read} begins again. */
    void rewrite(Collection<? extends Change> changes) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).putLong(MAGIC).putInt(VERSION)
            .putLong(new SecureRandom().nextLong() | 1).flip();
        Uninterrupted.io(() -> {
            AtomicFile.write(file, channel -> {
                write(channel, header.duplicate(), 0);
                long at = HEADER_BYTES;
                for (Change change : changes) {
                    byte[] record = framed(at, change);
                    write(channel, ByteBuffer.wrap(record), at);
                    at += record.length;
                }
            });
            return null;
        });
    }

    private static byte[] framed(long place, Change change) {
        byte[] record = encoded(change);
        return ByteBuffer.allocate(FRAME_BYTES + record.length).putInt(record.length).put(record)
            .putInt(checksum(place, ByteBuffer.wrap(record))).array();
    }

    private static int checksum(long place, ByteBuffer record) {
        CRC32C checksum = new CRC32C();
        checksum.update(ByteBuffer.allocate(Long.BYTES).putLong(place).flip());
        checksum.update(record.duplicate());
        return (int) checksum.getValue();
    }

    private static byte[] encoded(Change change) {
        return Card.bytes(out -> {
            switch (change) {
                case Added added -> {
                    out.writeByte(1);
                    out.write(added.card.encoded());
                    out.writeLong(added.bytes);
                    usage(out, added.usage);
                }
                case Used used -> {
                    out.writeByte(2);
                    Card.text(out, used.id);
                    usage(out, used.usage);
                }
                case Dropped dropped -> {
                    out.writeByte(3);
                    Card.text(out, dropped.id);
                    out.writeDouble(dropped.clock);
                }
            }
        });
    }

    private static void usage(DataOutputStream out, Usage usage) throws IOException {
        out.writeDouble(usage.worth());
        out.writeInt(usage.hits());
        out.writeDouble(usage.saved());
        out.writeLong(usage.last().toEpochMilli());
    }

    private static Change decoded(ByteBuffer record) throws DamagedFileException {
        return Card.checked(record, () -> switch (record.get()) {
            case 1 -> new Added(Card.decoded(record), record.getLong(), usage(record));
            case 2 -> new Used(Card.text(record), usage(record));
            case 3 -> new Dropped(Card.text(record), record.getDouble());
            default -> throw new DamagedFileException("it has a record of another kind");
        });
    }

    private static Usage usage(ByteBuffer record) {
        return new Usage(record.getDouble(), record.getInt(), record.getDouble(),
            Instant.ofEpochMilli(record.getLong()));
    }
}
