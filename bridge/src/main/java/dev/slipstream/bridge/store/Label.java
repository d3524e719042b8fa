package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.DamagedFileException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a stored file says about itself: its key, and when it was made. */
record Label(EngineKey key, Instant created) {
    byte[] encoded() {
        byte[] parts = encoded(key.parts());
        byte[] name = encoded(List.of(key.name()));
        return ByteBuffer.allocate(Long.BYTES + name.length + parts.length).order(ByteOrder.LITTLE_ENDIAN)
            .putLong(created.toEpochMilli()).put(name).put(parts).array();
    }

    /** Names and values one after another: two maps give the same bytes only if they are equal. */
    static byte[] encoded(Map<String, String> parts) {
        List<String> texts = new ArrayList<>();
        new TreeMap<>(parts).forEach((name, value) -> texts.addAll(List.of(name, value)));
        return encoded(texts);
    }

    private static byte[] encoded(List<String> texts) {
        List<byte[]> all = texts.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
        ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES + all.stream().mapToInt(it -> Integer.BYTES + it.length)
            .sum()).order(ByteOrder.LITTLE_ENDIAN).putInt(all.size());
        all.forEach(bytes -> buffer.putInt(bytes.length).put(bytes));
        return buffer.array();
    }

    static Label decoded(ByteBuffer bytes) throws DamagedFileException {
        ByteBuffer buffer = bytes.order(ByteOrder.LITTLE_ENDIAN);
        try {
            Instant created = Instant.ofEpochMilli(buffer.getLong());
            List<String> name = texts(buffer);
            List<String> texts = texts(buffer);
            if (name.size() != 1 || texts.size() % 2 != 0 || buffer.hasRemaining()) {
                throw new DamagedFileException("its label is malformed");
            }
            Map<String, String> parts = new TreeMap<>();
            for (int index = 0; index < texts.size(); index += 2) {
                parts.put(texts.get(index), texts.get(index + 1));
            }
            return new Label(new EngineKey(name.getFirst(), parts), created);
        } catch (BufferUnderflowException tooShort) {
            throw new DamagedFileException("its label is malformed");
        }
    }

    private static List<String> texts(ByteBuffer buffer) throws DamagedFileException {
        int count = buffer.getInt();
        List<String> texts = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            int length = buffer.getInt();
            if (length < 0 || length > buffer.remaining()) {
                throw new DamagedFileException("its label is malformed");
            }
            byte[] text = new byte[length];
            buffer.get(text);
            texts.add(new String(text, StandardCharsets.UTF_8));
        }
        return texts;
    }
}
