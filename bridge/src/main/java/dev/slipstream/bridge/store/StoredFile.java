package dev.slipstream.bridge.store;

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
 * The format of a stored file, little-endian:
 *
 * <pre>
 * offset  bytes
 *      0      8  magic; has bytes that a transfer as text would change
 *      8      4  version of the format
 *     12      4  n, length of the label
 *     16      8  p, length of the payload
 *     24      n  the label, see {@link Label}
 *             .  zeros up to a multiple of 4096, so that the mapped payload begins at a page
 *             p  the payload
 *             4  CRC-32C of everything before
 *             4  end mark
 * </pre>
 *
 * <p>CRC-32C rather than a cryptographic hash: it keeps up with the disk for engines of gigabytes, and a process that
 * can write into the folder could forge a hash too. It finds every error of up to 32 bits in a row; truncation shows in
 * the length.
 */
final class StoredFile {
    static final long MAGIC = 0x0a1a_0a0d_4553_4c89L;
    static final int VERSION = 1;
    static final int END = 0x21_444e_45;

    private static final int FIXED_BYTES = 24;
    private static final int TRAILER_BYTES = 8;
    private static final int MOST_LABEL_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final int CHUNK_BYTES = 1 << 20;

    private StoredFile() {
    }

    /** The length of the whole file. */
    static long size(Label label, long payloadBytes) {
        return payloadOffset(label.encoded().length) + payloadBytes + TRAILER_BYTES;
    }

    private static long payloadOffset(long labelBytes) {
        return (FIXED_BYTES + labelBytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    static void write(FileChannel channel, Label label, MemorySegment payload) throws IOException {
        byte[] text = label.encoded();
        if (text.length > MOST_LABEL_BYTES) {
            throw new IOException("the key of " + label.key().name() + " is too long (" + text.length + " bytes)");
        }
        CRC32C checksum = new CRC32C();
        append(channel, checksum, ByteBuffer.allocate((int) payloadOffset(text.length)).order(ByteOrder.LITTLE_ENDIAN)
            .putLong(MAGIC).putInt(VERSION).putInt(text.length).putLong(payload.byteSize()).put(text).rewind());
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

    /** What the file says it is; only the beginning is read. */
    static Label label(Path file) throws IOException {
        try (FileChannel channel = open(file)) {
            return beginning(channel).label;
        }
    }

    /**
     * Checks all of the file, then maps its payload, read-only. The check reads and does not map: then bad sectors, or
     * a file that someone cuts off meanwhile, are errors and not crashes.
     *
     * @throws NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not whole or not for this key
     */
    static MemorySegment read(Path file, EngineKey key, Arena arena) throws IOException {
        try (FileChannel channel = open(file)) {
            Beginning beginning = beginning(channel);
            if (!beginning.label.key().parts().equals(key.parts())) {
                throw new DamagedFileException("it is another engine, " + beginning.label.key().name());
            }
            checkSum(channel);
            return channel.map(FileChannel.MapMode.READ_ONLY, beginning.payloadOffset, beginning.payloadBytes, arena);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new DamagedFileException("it is no plain file");
        }
        return FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    }

    private record Beginning(Label label, long payloadOffset, long payloadBytes) {
    }

    private static Beginning beginning(FileChannel channel) throws IOException {
        ByteBuffer fixed = bytes(channel, 0, FIXED_BYTES);
        if (fixed.getLong() != MAGIC) {
            throw new DamagedFileException("it does not begin as a stored engine does");
        }
        int version = fixed.getInt();
        if (version != VERSION) {
            throw new DamagedFileException("its format has version " + version + " and not " + VERSION);
        }
        int labelBytes = fixed.getInt();
        long payloadBytes = fixed.getLong();
        long offset = payloadOffset(labelBytes);
        if (labelBytes < 0 || labelBytes > MOST_LABEL_BYTES || channel.size() - offset - TRAILER_BYTES != payloadBytes
            || payloadBytes < 0) {
            throw new DamagedFileException("it has " + channel.size() + " bytes, which are not as many as it says");
        }
        return new Beginning(Label.decoded(bytes(channel, FIXED_BYTES, labelBytes)), offset, payloadBytes);
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
        ByteBuffer trailer = bytes(channel, end, TRAILER_BYTES);
        if (trailer.getInt() != (int) checksum.getValue() || trailer.getInt() != END) {
            throw new DamagedFileException("its checksum is wrong");
        }
    }
}
