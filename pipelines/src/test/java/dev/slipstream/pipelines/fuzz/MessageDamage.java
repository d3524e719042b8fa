package dev.slipstream.pipelines.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Damage to protobuf messages that keeps to the wire format, so that it reaches what comes after the parser: fields
 * are left out, doubled, swapped, nested, get other numbers or lie about their length.
 */
final class MessageDamage {
    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final long[] NUMBERS = {0, 1, 2, 3, 7, 64, 8192, 8193, 1 << 20, Integer.MAX_VALUE, 1L << 31,
        1L << 40, 1L << 60, Long.MAX_VALUE, -1, -2, Long.MIN_VALUE};

    private MessageDamage() {
    }

    /** @param number of the field @param content what follows tag and length */
    private record Field(long tag, byte[] content) {
        int wire() {
            return (int) (tag & 7);
        }

        byte[] bytes() {
            return wire() == BYTES ? ByteDamage.join(varint(tag), varint(content.length), content)
                : ByteDamage.join(varint(tag), content);
        }
    }

    /** Damages one field, anywhere in the message or the messages inside it. */
    static byte[] damage(byte[] message, Random random) {
        List<Field> fields = fields(message);
        if (fields.isEmpty()) {
            return message;
        }
        int at = random.nextInt(fields.size());
        Field field = fields.get(at);
        if (random.nextInt(8) > 0 && field.wire() == BYTES && !fields(field.content).isEmpty()) {
            return with(fields, at, new Field(field.tag, damage(field.content, random)).bytes());
        }
        Field other = fields.get(random.nextInt(fields.size()));
        byte[] changed = switch (random.nextInt(7)) {
            case 0 -> new byte[0];
            case 1 -> ByteDamage.join(field.bytes(), field.bytes());
            case 2 -> other.bytes();
            case 3 -> new Field(other.wire() == field.wire() ? field.tag : other.tag, other.content).bytes();
            case 4 -> field.wire() == BYTES ? ByteDamage.join(varint(field.tag), varint(number(random)), field.content)
                : ByteDamage.join(varint(field.tag), varint(number(random)));
            case 5 -> new Field(random.nextInt(1, 30) << 3 | random.nextInt(8), field.content).bytes();
            default -> nested(field, random);
        };
        return with(fields, at, changed);
    }

    private static byte[] nested(Field field, Random random) {
        byte[] inner = field.bytes();
        for (int depth = random.nextInt(200); depth > 0 && field.wire() == BYTES && inner.length < 1 << 20; depth--) {
            inner = new Field(field.tag, inner).bytes();
        }
        return inner;
    }

    private static long number(Random random) {
        return NUMBERS[random.nextInt(NUMBERS.length)];
    }

    private static byte[] with(List<Field> fields, int at, byte[] changed) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < fields.size(); i++) {
            out.writeBytes(i == at ? changed : fields.get(i).bytes());
        }
        return out.toByteArray();
    }

    /** The fields of a message; none if these bytes are none. */
    private static List<Field> fields(byte[] message) {
        List<Field> fields = new ArrayList<>();
        int at = 0;
        while (at < message.length) {
            int afterTag = skipVarint(message, at);
            if (afterTag < 0) {
                return List.of();
            }
            long tag = readVarint(message, at);
            int start = afterTag;
            long end = switch ((int) (tag & 7)) {
                case VARINT -> skipVarint(message, afterTag);
                case 1 -> afterTag + 8L;
                case BYTES -> {
                    start = skipVarint(message, afterTag);
                    yield start < 0 ? -1 : start + readVarint(message, afterTag);
                }
                case 5 -> afterTag + 4L;
                default -> -1;
            };
            if (tag >> 3 < 1 || tag >> 3 > 100 || end < 0 || end < start || end > message.length) {
                return List.of();
            }
            fields.add(new Field(tag, Arrays.copyOfRange(message, start, (int) end)));
            at = (int) end;
        }
        return fields;
    }

    private static int skipVarint(byte[] bytes, int at) {
        for (int i = at; i < bytes.length && i < at + 10; i++) {
            if (bytes[i] >= 0) {
                return i + 1;
            }
        }
        return -1;
    }

    private static long readVarint(byte[] bytes, int at) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = bytes[at + shift / 7];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                break;
            }
        }
        return value;
    }

    private static byte[] varint(long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
        return out.toByteArray();
    }
}
