package dev.slipstream.pipelines.model.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * Ways in which GGUF files store numbers in blocks: small whole numbers with a common scale, and in some also a common
 * offset. "K" formats have blocks of 256 with scales of 16 or 32 numbers inside, which are small numbers themselves.
 *
 * <p>Source: the block structures and {@code dequantize_row_*} of the ggml project; each value is computed in fp32 by
 * the same operations in the same order, so that all bits agree.
 */
enum BlockFormat {
    Q4_0(2, 32, 18) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            for (int i = 0; i < 16; i++) {
                int pair = in.unsigned(2 + i);
                out[to + i] = ((pair & 15) - 8) * scale;
                out[to + i + 16] = ((pair >> 4) - 8) * scale;
            }
        }
    },
    Q4_1(3, 32, 20) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            float least = in.half(2);
            for (int i = 0; i < 16; i++) {
                int pair = in.unsigned(4 + i);
                out[to + i] = (pair & 15) * scale + least;
                out[to + i + 16] = (pair >> 4) * scale + least;
            }
        }
    },
    Q5_0(6, 32, 22) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            int high = in.integer(2);
            for (int i = 0; i < 16; i++) {
                int pair = in.unsigned(6 + i);
                out[to + i] = ((pair & 15 | (high >>> i & 1) << 4) - 16) * scale;
                out[to + i + 16] = ((pair >> 4 | (high >>> i + 16 & 1) << 4) - 16) * scale;
            }
        }
    },
    Q5_1(7, 32, 24) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            float least = in.half(2);
            int high = in.integer(4);
            for (int i = 0; i < 16; i++) {
                int pair = in.unsigned(8 + i);
                out[to + i] = (pair & 15 | (high >>> i & 1) << 4) * scale + least;
                out[to + i + 16] = (pair >> 4 | (high >>> i + 16 & 1) << 4) * scale + least;
            }
        }
    },
    Q8_0(8, 32, 34) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            for (int i = 0; i < 32; i++) {
                out[to + i] = in.signed(2 + i) * scale;
            }
        }
    },
    Q2_K(10, 256, 84) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(80);
            float least = in.half(82);
            for (int group = 0; group < 16; group++) {
                int packed = in.unsigned(group);
                float groupScale = scale * (packed & 15);
                float groupLeast = least * (packed >> 4);
                int begin = 16 + group / 8 * 32 + group % 2 * 16;
                int shift = group % 8 / 2 * 2;
                for (int i = 0; i < 16; i++) {
                    out[to++] = groupScale * (in.unsigned(begin + i) >> shift & 3) - groupLeast;
                }
            }
        }
    },
    Q3_K(11, 256, 110) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(108);
            for (int group = 0; group < 16; group++) {
                // Four bits of each group's scale lie in the first eight bytes, its two high ones in the last four.
                int low = in.unsigned(96 + group % 8) >> group / 8 * 4 & 15;
                int high = in.unsigned(104 + group % 4) >> group / 4 * 2 & 3;
                float groupScale = scale * ((low | high << 4) - 32);
                int begin = 32 + group / 8 * 32 + group % 2 * 16;
                int shift = group % 8 / 2 * 2;
                int mask = 1 << group / 2;
                for (int i = 0; i < 16; i++) {
                    int number = in.unsigned(begin + i) >> shift & 3;
                    int less = (in.unsigned(group % 2 * 16 + i) & mask) == 0 ? 4 : 0;
                    out[to++] = groupScale * (number - less);
                }
            }
        }
    },
    Q4_K(12, 256, 144) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            float least = in.half(2);
            for (int group = 0; group < 8; group++) {
                float groupScale = scale * in.scaleOf(group, 4);
                float groupLeast = least * in.leastOf(group, 4);
                int begin = 16 + group / 2 * 32;
                int shift = group % 2 * 4;
                for (int i = 0; i < 32; i++) {
                    out[to++] = groupScale * (in.unsigned(begin + i) >> shift & 15) - groupLeast;
                }
            }
        }
    },
    Q5_K(13, 256, 176) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(0);
            float least = in.half(2);
            for (int group = 0; group < 8; group++) {
                float groupScale = scale * in.scaleOf(group, 4);
                float groupLeast = least * in.leastOf(group, 4);
                int begin = 48 + group / 2 * 32;
                int shift = group % 2 * 4;
                for (int i = 0; i < 32; i++) {
                    int number = (in.unsigned(begin + i) >> shift & 15) + (in.unsigned(16 + i) >> group & 1) * 16;
                    out[to++] = groupScale * number - groupLeast;
                }
            }
        }
    },
    Q6_K(14, 256, 210) {
        @Override
        void decode(Block in, float[] out, int to) {
            float scale = in.half(208);
            for (int group = 0; group < 16; group++) {
                float groupScale = scale * in.signed(192 + group);
                int half = group / 8;
                int quarter = group % 8 / 2;
                int within = group % 2 * 16;
                int low = half * 64 + quarter % 2 * 32 + within;
                int high = 128 + half * 32 + within;
                for (int i = 0; i < 16; i++) {
                    int number = in.unsigned(low + i) >> quarter / 2 * 4 & 15
                        | (in.unsigned(high + i) >> quarter * 2 & 3) << 4;
                    out[to++] = groupScale * (number - 32);
                }
            }
        }
    };

    private final int code;
    private final int elements;
    private final int bytes;

    BlockFormat(int code, int elements, int bytes) {
        this.code = code;
        this.elements = elements;
        this.bytes = bytes;
    }

    /** The format of ggml's number for it; empty for numbers of plain types and for formats that are not read. */
    static Optional<BlockFormat> of(int code) {
        return Arrays.stream(values()).filter(format -> format.code == code).findFirst();
    }

    /** How many numbers a block has. */
    int elements() {
        return elements;
    }

    /** How many bytes a block takes. */
    int bytes() {
        return bytes;
    }

    /** Computes the numbers of one block. @param to index of the first in {@code out} */
    abstract void decode(Block in, float[] out, int to);

    /** The bytes of one block of a tensor. For one thread. */
    static final class Block {
        private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private final MemorySegment data;
        private long begin;

        Block(MemorySegment data) {
            this.data = data;
        }

        /** @param at where the block begins */
        Block at(long at) {
            begin = at;
            return this;
        }

        float half(int at) {
            return Float.float16ToFloat(data.get(SHORT, begin + at));
        }

        int integer(int at) {
            return data.get(INT, begin + at);
        }

        int signed(int at) {
            return data.get(ValueLayout.JAVA_BYTE, begin + at);
        }

        int unsigned(int at) {
            return Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, begin + at));
        }

        /**
         * Of eight scales and eight offsets of six bits in twelve bytes, the scale of a group. The last four have their
         * high bits where the first four leave two.
         */
        int scaleOf(int group, int at) {
            return group < 4 ? unsigned(at + group) & 63
                : unsigned(at + group + 4) & 15 | unsigned(at + group - 4) >> 6 << 4;
        }

        int leastOf(int group, int at) {
            return group < 4 ? unsigned(at + group + 4) & 63
                : unsigned(at + group + 4) >> 4 | unsigned(at + group) >> 6 << 4;
        }
    }
}
