package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The checked header of a GGUF file of version 2 or 3: every tensor lies inside the file, where no other does.
 *
 * <p>A header is treated as hostile. It is read from the mapped file, and nothing is kept of the settings but the few
 * that are asked for, so that whatever counts and lengths it claims, it takes no more memory than its tensors' names.
 *
 * <p>Source: {@code docs/gguf.md} of the ggml project; ComfyUI-GGUF for {@code comfy.gguf.orig_shape.NAME}, the true
 * shape of a tensor that lies there in rows of another length.
 *
 * @param entries by name, in the header's order
 * @param architecture {@code general.architecture}; empty if it says none
 */
public record GgufHeader(Map<String, Entry> entries, String architecture) {
    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    private static final int MOST_TENSORS = 1_000_000;
    private static final int LONGEST_NAME = 1000;
    private static final int MOST_DIMENSIONS = 8;
    private static final int MOST_ALIGNMENT = 1 << 20;
    private static final String TRUE_SHAPE = "comfy.gguf.orig_shape.";

    /**
     * @param code ggml's number for the type of the elements
     * @param shape outermost first, the true one where the file says one
     * @param begin first byte in the file
     * @param bytes how many
     */
    public record Entry(int code, Shape shape, long begin, long bytes) {
    }

    /** Whether a file begins as one of this format, whichever its version. @param head its first four bytes or more */
    static boolean isGguf(byte[] head) {
        return head.length >= 4 && head[0] == 'G' && head[1] == 'G' && head[2] == 'U' && head[3] == 'F';
    }

    /** @throws ModelException if anything in it violates the format, or is of a kind that is not read */
    static GgufHeader parse(Path path, MemorySegment file) {
        try {
            return new Reader(path, file).read();
        } catch (IndexOutOfBoundsException cut) {
            throw new ModelException(path + " is cut short in its header; download it again", cut);
        }
    }

    /** Types of elements that lie one after another, by ggml's numbers. */
    static StoredType plainType(int code) {
        return switch (code) {
            case 0 -> StoredType.F32;
            case 1 -> StoredType.F16;
            case 24 -> StoredType.I8;
            case 25 -> StoredType.I16;
            case 26 -> StoredType.I32;
            case 27 -> StoredType.I64;
            case 28 -> StoredType.F64;
            case 30 -> StoredType.BF16;
            default -> null;
        };
    }

    /** Reads from front to back. */
    private static final class Reader {
        private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final int STRING = 8;
        private static final int ARRAY = 9;
        /** Bytes of a value by the number of its type; 0 for those without a fixed size. */
        private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

        private final Path path;
        private final MemorySegment file;
        private final Map<String, long[]> trueShapes = new LinkedHashMap<>();
        private long at;
        private long alignment = 32;
        private String architecture = "";

        /** What the header says of a tensor. @param offset of its data, from where all data begin */
        private record Claim(String name, long[] dims, int code, long offset) {
        }

        Reader(Path path, MemorySegment file) {
            this.path = path;
            this.file = file;
        }

        GgufHeader read() {
            if (integer() != MAGIC) {
                throw new ModelException(path + " is no GGUF file");
            }
            int version = integer();
            if (version != 2 && version != 3) {
                throw new ModelException(path + (Integer.reverseBytes(version) == 3
                    ? " is a big-endian GGUF file, which is not read" : " is a GGUF file of version "
                    + Integer.toUnsignedString(version) + "; 2 and 3 are read") + "; convert it anew");
            }
            long tensors = count("tensors", 24, MOST_TENSORS);
            long settings = count("settings", 13, Long.MAX_VALUE);
            Set<String> seen = new HashSet<>();
            for (long i = 0; i < settings; i++) {
                setting(seen);
            }
            List<Claim> claims = new ArrayList<>();
            for (long i = 0; i < tensors; i++) {
                claims.add(claim());
            }
            return new GgufHeader(entries(claims), architecture);
        }

        private long count(String what, int least, long most) {
            long count = whole();
            if (count < 0 || count > most || count > (file.byteSize() - at) / least) {
                throw damaged("it would have " + Long.toUnsignedString(count) + " " + what);
            }
            return count;
        }

        private void setting(Set<String> seen) {
            String key = text("a setting's name");
            int type = integer();
            boolean isWanted = key.startsWith(TRUE_SHAPE) || key.equals("general.alignment")
                || key.equals("general.architecture");
            if (isWanted && !seen.add(key)) {
                throw damaged("it has two settings " + shown(key));
            }
            if (key.startsWith(TRUE_SHAPE)) {
                trueShapes.put(key.substring(TRUE_SHAPE.length()), trueShape(key, type));
            } else if (key.equals("general.alignment")) {
                alignment = type == 4 || type == 5 ? Integer.toUnsignedLong(integer()) : 0;
                if (alignment < 1 || alignment > MOST_ALIGNMENT || Long.bitCount(alignment) != 1) {
                    throw damaged("its general.alignment is no power of 2 up to " + MOST_ALIGNMENT);
                }
            } else if (key.equals("general.architecture") && type == STRING) {
                architecture = text("general.architecture");
            } else {
                skip(key, type);
            }
        }

        private long[] trueShape(String key, int type) {
            int elements = type == ARRAY ? integer() : -1;
            long length = type == ARRAY ? whole() : -1;
            if (elements != 4 && elements != 5 || length < 1 || length > MOST_DIMENSIONS) {
                throw damaged(shown(key) + " is no list of up to " + MOST_DIMENSIONS + " int32");
            }
            long[] shape = new long[(int) length];
            for (int i = 0; i < shape.length; i++) {
                shape[i] = integer();
                if (shape[i] < 1) {
                    throw damaged(shown(key) + " has a dimension " + shape[i]);
                }
            }
            return shape;
        }

        private void skip(String key, int type) {
            if (type == STRING) {
                skipText(key);
            } else if (type == ARRAY) {
                int elements = integer();
                long length = whole();
                if (elements == STRING) {
                    if (length < 0 || length > (file.byteSize() - at) / Long.BYTES) {
                        throw damaged("the setting " + shown(key) + " would have " + Long.toUnsignedString(length)
                            + " texts");
                    }
                    for (long i = 0; i < length; i++) {
                        skipText(key);
                    }
                } else {
                    skip(key, length, size(key, elements));
                }
            } else {
                skip(key, 1, size(key, type));
            }
        }

        private int size(String key, int type) {
            if (type < 0 || type >= SIZES.length || SIZES[type] == 0) {
                throw damaged("the setting " + shown(key) + " has the type " + Integer.toUnsignedString(type)
                    + ", which is not read");
            }
            return SIZES[type];
        }

        private void skipText(String key) {
            skip(key, whole(), 1);
        }

        private void skip(String key, long length, int size) {
            if (length < 0 || length > (file.byteSize() - at) / size) {
                throw damaged("the setting " + shown(key) + " would have " + Long.toUnsignedString(length)
                    + " elements");
            }
            at += length * size;
        }

        private Claim claim() {
            String name = text("a tensor's name");
            int rank = integer();
            if (rank < 0 || rank > MOST_DIMENSIONS) {
                throw damaged("tensor " + shown(name) + " would have " + Integer.toUnsignedString(rank)
                    + " dimensions");
            }
            long[] dims = new long[rank];
            for (int i = rank - 1; i >= 0; i--) {
                dims[i] = whole();
                if (dims[i] < 0) {
                    throw damaged("tensor " + shown(name) + " has a dimension " + Long.toUnsignedString(dims[i]));
                }
            }
            return new Claim(name, dims, integer(), whole());
        }

        private Map<String, Entry> entries(List<Claim> claims) {
            long data = (at + alignment - 1) / alignment * alignment;
            Map<String, Entry> entries = new LinkedHashMap<>();
            for (Claim claim : claims) {
                if (entries.put(claim.name, entry(claim, data)) != null) {
                    throw damaged("it has two tensors " + shown(claim.name));
                }
            }
            checkOverlaps(entries);
            trueShapes.keySet().stream().filter(name -> !entries.containsKey(name)).findFirst().ifPresent(name -> {
                throw damaged("it has a shape for a tensor that is not there, " + shown(name));
            });
            return Collections.unmodifiableMap(entries);
        }

        private Entry entry(Claim claim, long data) {
            String name = shown(claim.name);
            Shape stored = Shape.of(claim.dims);
            try {
                long elements = stored.elements();
                long bytes = bytes(name, claim, elements);
                if (claim.offset < 0 || claim.offset % alignment != 0) {
                    throw damaged("tensor " + name + " begins at byte " + Long.toUnsignedString(claim.offset)
                        + " of the data, which is no multiple of " + alignment);
                }
                long begin = Math.addExact(data, claim.offset);
                if (bytes > file.byteSize() - begin) {
                    throw new ModelException(path + " is cut short: tensor " + name + " " + stored + " should have "
                        + bytes + " bytes from byte " + begin + " on, and the file has " + file.byteSize()
                        + "; download it again");
                }
                Shape shape = trueShapes.containsKey(claim.name) ? Shape.of(trueShapes.get(claim.name)) : stored;
                if (shape.elements() != elements) {
                    throw damaged("tensor " + name + " has the shape " + stored + ", which cannot be " + shape);
                }
                return new Entry(claim.code, shape, begin, bytes);
            } catch (ArithmeticException tooLarge) {
                throw new ModelException(path + ": tensor " + name + " is too large to be true: " + stored, tooLarge);
            }
        }

        private long bytes(String name, Claim claim, long elements) {
            StoredType plain = plainType(claim.code);
            if (plain != null) {
                return Math.multiplyExact(elements, (long) plain.bytes());
            }
            BlockFormat format = BlockFormat.of(claim.code).orElseThrow(() -> new ModelException(path + ": tensor "
                + name + " is stored in ggml's type " + Integer.toUnsignedString(claim.code)
                + ", which is not read; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 and Q2_K to Q6_K are"));
            long row = claim.dims.length == 0 ? 1 : claim.dims[claim.dims.length - 1];
            if (row % format.elements() != 0) {
                throw damaged("tensor " + name + " is " + format + " with rows of " + row + ", which are no whole "
                    + "blocks of " + format.elements());
            }
            return Math.multiplyExact(elements / format.elements(), (long) format.bytes());
        }

        private void checkOverlaps(Map<String, Entry> entries) {
            long end = 0;
            for (Map.Entry<String, Entry> named : entries.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Entry> it) -> it.getValue().begin)
                    .thenComparingLong(it -> it.getValue().bytes)).toList()) {
                if (named.getValue().begin < end && named.getValue().bytes > 0) {
                    throw damaged("tensor " + shown(named.getKey()) + " lies where another one does");
                }
                end = Math.max(end, named.getValue().begin + named.getValue().bytes);
            }
        }

        private String text(String what) {
            long length = whole();
            if (length < 0 || length > LONGEST_NAME) {
                throw damaged(what + " would have " + Long.toUnsignedString(length) + " bytes");
            }
            byte[] bytes = file.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
            at += length;
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            } catch (CharacterCodingException e) {
                throw new ModelException(path + " has a damaged header: " + what + " is no UTF-8 text", e);
            }
        }

        private int integer() {
            int value = file.get(INT, at);
            at += Integer.BYTES;
            return value;
        }

        private long whole() {
            long value = file.get(LONG, at);
            at += Long.BYTES;
            return value;
        }

        private static String shown(String name) {
            return SafetensorsHeader.shortened(name);
        }

        private ModelException damaged(String complaint) {
            return new ModelException(path + " has a damaged header: " + complaint);
        }
    }
}
