package dev.slipstream.bridge.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A format for files that say what they are and show whether they are whole, little-endian:
 *
 * <pre>
 * offset  bytes
 *      0      8  magic; has bytes that a transfer as text would change
 *      8      4  version of the format
 *     12      4  n, length of the label
 *     16      8  p, length of the payload
 *     24      n  the label
 *             .  zeros up to a multiple of 4096, so that the mapped payload begins at a page
 *             p  the payload
 *             4  CRC-32C of everything before
 *             4  end mark
 * </pre>
 *
 * <p>CRC-32C rather than a cryptographic hash: it keeps up with the disk for files of gigabytes, and a process that
 * can write into the folder could forge a hash too. It finds every error of up to 32 bits in a row; truncation shows in
 * the length.
 *
 * @param thing what such a file holds, for messages
 */
public record CheckedFile(long magic, int version, String thing) {
    static final int END = 0x21_444e_45;

    private static final int FIXED_BYTES = 24;
    private static final int TRAILER_BYTES = 8;
    private static final int MOST_LABEL_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final int CHUNK_BYTES = 1 << 20;

    /** What a file says it is; throws if that is not what was looked for. */
    @FunctionalInterface
    public interface LabelCheck {
        void check(ByteBuffer label) throws DamagedFileException;
    }

    /** All that is in a file, in the heap; little-endian, from position 0. */
    public record Contents(ByteBuffer label, ByteBuffer payload) {
    }

    /** The length of a whole file. */
    public static long size(int labelBytes, long payloadBytes) {
        return payloadOffset(labelBytes) + payloadBytes + TRAILER_BYTES;
    }

    private static long payloadOffset(long labelBytes) {
        return (FIXED_BYTES + labelBytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    /** Writes a whole file. @throws IOException also if the label has more than 1 MiB */
    public void write(FileChannel channel, byte[] label, MemorySegment payload) throws IOException {
        if (label.length > MOST_LABEL_BYTES) {
            throw new IOException("the label of " + thing + " is too long (" + label.length + " bytes)");
        }
        CRC32C checksum = new CRC32C();
        append(channel, checksum, ByteBuffer.allocate((int) payloadOffset(label.length))
            .order(ByteOrder.LITTLE_ENDIAN).putLong(magic).putInt(version).putInt(label.length)
            .putLong(payload.byteSize()).put(label).rewind());
        for (long offset = 0; offset < payload.byteSize(); offset += CHUNK_BYTES) {
            long bytes = Math.min(CHUNK_BYTES, payload.byteSize() - offset);
            append(channel, checksum, payload.asSlice(offset, bytes).asByteBuffer());
        }
        append(channel, new CRC32C(), ByteBuffer.allocate(TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN)
            .putInt((int) checksum.getValue()).putInt(END).rewind());
    }

    private static void append(FileChannel channel, CRC32C checksum, ByteBuffer bytes) throws IOException {
        checksum.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** What the file says it is; only the beginning is read, and not checked as a whole. */
    public ByteBuffer label(Path file) throws IOException {
        try (FileChannel channel = open(file)) {
            return beginning(channel).label;
        }
    }

    /**
     * Checks all of the file, then maps its payload, read-only. The check reads and does not map: then bad sectors, or
     * a file that someone cuts off meanwhile, are errors and not crashes.
     *
     * @throws NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not whole, or not what was looked for
     */
    public MemorySegment map(Path file, LabelCheck wanted, Arena arena) throws IOException {
        try (FileChannel channel = open(file)) {
            Beginning beginning = beginning(channel);
            wanted.check(beginning.label);
            checkSum(channel);
            return channel.map(FileChannel.MapMode.READ_ONLY, beginning.payloadOffset, beginning.payloadBytes, arena);
        }
    }

    /**
     * Reads all of the file once, and checks it; for files that fit into the heap.
     *
     * @param most a file with more bytes counts as damaged
     * @throws NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not whole
     */
    public Contents read(Path file, int most) throws IOException {
        try (FileChannel channel = open(file)) {
            Beginning beginning = beginning(channel);
            long count = beginning.payloadOffset + beginning.payloadBytes + TRAILER_BYTES;
            if (count > most) {
                throw new DamagedFileException("it has " + count + " bytes, more than " + thing + " has");
            }
            ByteBuffer all = bytes(channel, 0, (int) count);
            int end = all.limit() - TRAILER_BYTES;
            CRC32C checksum = new CRC32C();
            checksum.update(all.slice(0, end));
            checkTrailer(checksum, all.slice(end, TRAILER_BYTES));
            return new Contents(all.slice(FIXED_BYTES, beginning.label.limit()).order(ByteOrder.LITTLE_ENDIAN),
                all.slice((int) beginning.payloadOffset, (int) beginning.payloadBytes).order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    private static FileChannel open(Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new DamagedFileException("it is no plain file");
        }
        return FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    }

    private record Beginning(ByteBuffer label, long payloadOffset, long payloadBytes) {
    }

    private Beginning beginning(FileChannel channel) throws IOException {
        ByteBuffer fixed = bytes(channel, 0, FIXED_BYTES);
        if (fixed.getLong() != magic) {
            throw new DamagedFileException("it does not begin as " + thing + " does");
        }
        int found = fixed.getInt();
        if (found != version) {
            throw new DamagedFileException("its format has version " + found + " and not " + version);
        }
        int labelBytes = fixed.getInt();
        long payloadBytes = fixed.getLong();
        long offset = payloadOffset(labelBytes);
        if (labelBytes < 0 || labelBytes > MOST_LABEL_BYTES || channel.size() - offset - TRAILER_BYTES != payloadBytes
            || payloadBytes < 0) {
            throw new DamagedFileException("it has " + channel.size() + " bytes, which are not as many as it says");
        }
        return new Beginning(bytes(channel, FIXED_BYTES, labelBytes), offset, payloadBytes);
    }

    private static ByteBuffer bytes(FileChannel channel, long offset, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        fill(channel, bytes, offset);
        return bytes.flip();
    }

    private static void fill(FileChannel channel, ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            int count = channel.read(bytes, at);
            if (count < 0) {
                throw new DamagedFileException("it is cut off at byte " + at);
            }
            at += count;
        }
    }

    private static void checkSum(FileChannel channel) throws IOException {
        CRC32C checksum = new CRC32C();
        long end = channel.size() - TRAILER_BYTES;
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK_BYTES, end));
        for (long at = 0; at < end; at += CHUNK_BYTES) {
            chunk.clear().limit((int) Math.min(CHUNK_BYTES, end - at));
            fill(channel, chunk, at);
            checksum.update(chunk.flip());
        }
        checkTrailer(checksum, bytes(channel, end, TRAILER_BYTES));
    }

    private static void checkTrailer(CRC32C checksum, ByteBuffer trailer) throws DamagedFileException {
        trailer.order(ByteOrder.LITTLE_ENDIAN);
        if (trailer.getInt() != (int) checksum.getValue() || trailer.getInt() != END) {
            throw new DamagedFileException("its checksum is wrong");
        }
    }
}
