package dev.slipstream.bridge.cuda;

import java.util.Random;

/** The two types of 16 bits, converted without the bit tricks of the kernels. */
enum KernelsHalfType {
    FLOAT16("f16", 65504) {
        @Override
        float toFloat(short half) {
            return Float.float16ToFloat(half);
        }

        @Override
        short of(float value) {
            return Float.floatToFloat16(value);
        }
    },
    BFLOAT16("bf16", 0x1.FEp127f) {
        @Override
        float toFloat(short half) {
            return Float.intBitsToFloat(half << 16);
        }

        @Override
        short of(float value) {
            if (!Float.isFinite(value)) {
                return (short) (Float.floatToIntBits(value) >> 16);
            }
            // The neighbours on both sides of the size; what would come after the largest number counts as infinite.
            int below = Float.floatToIntBits(Math.abs(value)) >> 16;
            double step = size(below + 1) - size(below);
            double above = (Math.abs(value) - size(below)) / step;
            boolean up = above > 0.5 || above == 0.5 && below % 2 == 1;
            return (short) ((up ? below + 1 : below) | (Float.floatToRawIntBits(value) >>> 31) << 15);
        }

        private static double size(int half) {
            float size = Float.intBitsToFloat(half << 16);
            return Float.isInfinite(size) ? 0x1p128 : size;
        }
    };

    private final String kernelName;
    private final float largest;

    KernelsHalfType(String kernelName, float largest) {
        this.kernelName = kernelName;
        this.largest = largest;
    }

    abstract float toFloat(short half);

    abstract short of(float value);

    String kernelName() {
        return kernelName;
    }

    /** The largest number that is not infinite. */
    float largest() {
        return largest;
    }

    short[] of(float[] values) {
        short[] halves = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            halves[i] = of(values[i]);
        }
        return halves;
    }

    /** Numbers of all sizes, ties between halves of both types and their neighbours, and what is not finite. */
    static float[] hardToRound() {
        Random random = new Random(1);
        float[] values = new float[60_000];
        for (int i = 0; i < values.length; i++) {
            int bits = random.nextInt();
            values[i] = Float.intBitsToFloat(switch (i % 6) {
                case 0 -> bits;
                case 1 -> bits & 0xFFFF0000 | 0x8000;
                case 2 -> (bits & 0xFFFF0000 | 0x8000) + random.nextInt(-1, 2);
                case 3 -> Float.floatToIntBits(Float.float16ToFloat((short) bits)) | 0x1000;
                case 4 -> (Float.floatToIntBits(Float.float16ToFloat((short) bits)) | 0x1000) + random.nextInt(-1, 2);
                default -> Float.floatToIntBits(0x1p-24f * (random.nextInt(4096) * 0.25f));
            });
        }
        return values;
    }
}
