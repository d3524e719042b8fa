package dev.slipstream.pipelines.model.weights;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.model.ModelException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The checked header of a safetensors file: every entry's range is as long as its shape says, and together they fill
 * the data exactly once.
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    private static final int NAME_IN_MESSAGE = 80;


    /** @param begin first byte, counted from the end of the header */
    record Entry(StoredType type, Shape shape, long begin, long end) {
    }

    /** @throws ModelException if anything in it violates the format */
    static SafetensorsHeader parse(Path path, byte[] json, long dataBytes) {
        SafetensorsHeader header = new Reader(path).read(json);
        header.checkRanges(path, dataBytes);
        return header;
    }

    private void checkRanges(Path path, long dataBytes) {
        long position = 0;
        for (Map.Entry<String, Entry> named : inFileOrder()) {
            String name = shortened(named.getKey());
            Entry entry = named.getValue();
            if (entry.end > dataBytes) {
                throw new ModelException(path + " is cut short: tensor " + name + " ends at byte " + entry.end
                    + " of the data, which has " + dataBytes + "; download it again");
            }
            if (entry.begin != position) {
                throw new ModelException(path + ": tensor " + name + " starts at byte " + entry.begin
                    + " of the data, but the one before it ends at " + position);
            }
            position = entry.end;
        }
        if (position != dataBytes) {
            throw new ModelException(path + ": the data has " + dataBytes + " bytes, but the tensors only " + position);
        }
    }

    /** At the same place, tensors without elements come first. */
    private List<Map.Entry<String, Entry>> inFileOrder() {
        return entries.entrySet().stream().sorted(Comparator
            .comparingLong((Map.Entry<String, Entry> named) -> named.getValue().begin)
            .thenComparingLong(named -> named.getValue().end)).toList();
    }

    /** A name from the file, short enough for a message and without control characters. */
    static String shortened(String name) {
        String plain = name.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > NAME_IN_MESSAGE ? plain.substring(0, NAME_IN_MESSAGE) + "..." : plain;
    }

    /** Reads the JSON of a header token by token: a parsed tree would hide names that come twice. */
    private static final class Reader {
        private static final int DEEPEST = 4;
        private static final int MOST_DIMENSIONS = 64;

        private final Path path;
        private final Map<String, Entry> entries = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();

        Reader(Path path) {
            this.path = path;
        }

        SafetensorsHeader read(byte[] json) {
            // An explicit decoder reports bytes that are not UTF-8; by default they would be replaced.
            JsonReader reader = new JsonReader(new InputStreamReader(new ByteArrayInputStream(json),
                StandardCharsets.UTF_8.newDecoder()));
            reader.setStrictness(Strictness.STRICT);
            reader.setNestingLimit(DEEPEST);
            try {
                readAll(reader);
            } catch (CharacterCodingException e) {
                throw new ModelException(path + " has a damaged header: it is not UTF-8 text", e);
            } catch (IOException | IllegalStateException | NumberFormatException e) {
                throw new ModelException(path + " has a damaged header: " + JsonText.explain(e), e);
            }
            return new SafetensorsHeader(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata));
        }

        private void readAll(JsonReader reader) throws IOException {
            boolean metadataSeen = false;
            reader.beginObject();
            while (reader.hasNext()) {
                String name = reader.nextName();
                if (name.equals("__metadata__")) {
                    if (metadataSeen) {
                        throw new ModelException(path + " has a damaged header: two \"__metadata__\"");
                    }
                    metadataSeen = true;
                    readMetadata(reader);
                } else if (entries.put(name, readEntry(reader, shortened(name))) != null) {
                    throw new ModelException(path + " has a damaged header: two tensors " + shortened(name));
                }
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new ModelException(path + " has a damaged header: something follows the object");
            }
        }

        private void readMetadata(JsonReader reader) throws IOException {
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                if (reader.peek() != JsonToken.STRING) {
                    throw new ModelException(path + " has a damaged header: metadata " + shortened(key)
                        + " is not a text");
                }
                if (metadata.put(key, reader.nextString()) != null) {
                    throw new ModelException(path + " has a damaged header: two metadata entries " + shortened(key));
                }
            }
            reader.endObject();
        }

        private Entry readEntry(JsonReader reader, String name) throws IOException {
            StoredType type = null;
            long[] shape = null;
            long[] offsets = null;
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                switch (key) {
                    case "dtype" -> type = once(type, readType(reader, name), name, key);
                    case "shape" -> shape = once(shape, readNumbers(reader, name, key), name, key);
                    case "data_offsets" -> offsets = once(offsets, readNumbers(reader, name, key), name, key);
                    default -> throw damaged(name, "has an unknown entry \"" + shortened(key) + "\"");
                }
            }
            reader.endObject();
            if (type == null || shape == null || offsets == null) {
                throw damaged(name, "must have dtype, shape and data_offsets");
            }
            checkSize(name, type, shape, offsets);
            return new Entry(type, Shape.of(shape), offsets[0], offsets[1]);
        }

        private <T> T once(T before, T value, String name, String key) {
            if (before != null) {
                throw damaged(name, "has two entries \"" + key + "\"");
            }
            return value;
        }

        private StoredType readType(JsonReader reader, String name) throws IOException {
            String type = reader.peek() == JsonToken.STRING ? reader.nextString() : "";
            for (StoredType known : StoredType.values()) {
                if (known.name().equals(type)) {
                    return known;
                }
            }
            throw damaged(name, "has the element type \"" + shortened(type) + "\", which is not read here");
        }

        private long[] readNumbers(JsonReader reader, String name, String key) throws IOException {
            long[] numbers = new long[MOST_DIMENSIONS];
            int count = 0;
            reader.beginArray();
            while (reader.hasNext()) {
                if (count == MOST_DIMENSIONS) {
                    throw damaged(name, "has more than " + MOST_DIMENSIONS + " numbers in \"" + key + "\"");
                }
                String digits = reader.peek() == JsonToken.NUMBER ? reader.nextString() : "";
                // Gson would accept 1e3, 1.0 and texts as whole numbers.
                if (!digits.matches("\\d{1,18}")) {
                    throw damaged(name, "has something else than whole numbers in \"" + key + "\"");
                }
                numbers[count++] = Long.parseLong(digits);
            }
            reader.endArray();
            return Arrays.copyOf(numbers, count);
        }

        private void checkSize(String name, StoredType type, long[] shape, long[] offsets) {
            if (offsets.length != 2 || offsets[0] > offsets[1]) {
                throw damaged(name, "must have two data_offsets, the begin and the end");
            }
            long bytes;
            try {
                bytes = Math.multiplyExact(Shape.of(shape).elements(), (long) type.bytes());
            } catch (ArithmeticException e) {
                throw new ModelException(path + ": tensor " + name + " is too large to be true: " + Shape.of(shape), e);
            }
            if (offsets[1] - offsets[0] != bytes) {
                throw damaged(name, "is " + type + Shape.of(shape) + ", that is " + bytes
                    + " bytes, but its data_offsets span " + (offsets[1] - offsets[0]));
            }
        }

        private ModelException damaged(String name, String complaint) {
            return new ModelException(path + " has a damaged header: tensor " + name + " " + complaint);
        }
    }
}
