package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Looks for values that are no numbers: those whose exponent has all its bits set. */
final class Guard {
    private static final int FLOAT32_EXPONENT = 0x7F80_0000;
    private static final int FLOAT16_EXPONENT = 0x7C00;
    private static final int BFLOAT16_EXPONENT = 0x7F80;

    private Guard() {
    }

    static void check(Tensor tensor, Slice mark, int label) {
        MemorySegment marks = ((CpuBuffer) mark.buffer()).segment();
        if (marks.get(ValueLayout.JAVA_INT_UNALIGNED, mark.offset()) > label && isBad(tensor)) {
            marks.set(ValueLayout.JAVA_INT_UNALIGNED, mark.offset(), label);
        }
    }

    private static boolean isBad(Tensor tensor) {
        MemorySegment segment = ((CpuBuffer) tensor.slice().buffer()).segment();
        long start = tensor.slice().offset();
        long end = start + tensor.slice().bytes();
        return switch (tensor.type().type()) {
            case FLOAT32 -> hasInt(segment, start, end);
            case FLOAT16 -> hasShort(segment, start, end, FLOAT16_EXPONENT);
            default -> hasShort(segment, start, end, BFLOAT16_EXPONENT);
        };
    }

    private static boolean hasInt(MemorySegment segment, long start, long end) {
        for (long at = start; at < end; at += Integer.BYTES) {
            if ((segment.get(ValueLayout.JAVA_INT_UNALIGNED, at) & FLOAT32_EXPONENT) == FLOAT32_EXPONENT) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasShort(MemorySegment segment, long start, long end, int exponent) {
        for (long at = start; at < end; at += Short.BYTES) {
            if ((segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) & exponent) == exponent) {
                return true;
            }
        }
        return false;
    }
}
