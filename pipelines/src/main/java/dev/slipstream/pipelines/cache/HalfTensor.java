package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** A tensor as the cache keeps it: fp16 in the heap, half the bytes of what the loop computes with. Immutable. */
public final class HalfTensor {
    private final Shape shape;
    private final short[] halves;

    private HalfTensor(Shape shape, short[] halves) {
        this.shape = shape;
        this.halves = halves;
    }

    /** Takes the array over. */
    static HalfTensor ofHalves(Shape shape, short[] halves) {
        if (shape.elements() != halves.length) {
            throw new IllegalArgumentException(halves.length + " numbers are no tensor of shape " + shape);
        }
        return new HalfTensor(shape, halves);
    }

    /** Rounds numbers. @throws IllegalArgumentException if one is no finite number of fp16, whose largest is 65504 */
    public static HalfTensor of(Shape shape, float[] numbers) {
        short[] halves = new short[numbers.length];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = half(numbers[i]);
        }
        return ofHalves(shape, halves);
    }

    /** The same of a tensor in fp32, of which nothing is kept. */
    public static HalfTensor of(Shape shape, MemorySegment numbers) {
        short[] halves = new short[Math.toIntExact(shape.elements())];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = half(numbers.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        return ofHalves(shape, halves);
    }

    private static short half(float number) {
        short half = Float.floatToFloat16(number);
        if ((half & 0x7c00) == 0x7c00) {
            throw new IllegalArgumentException(number + " cannot be kept in half precision");
        }
        return half;
    }

    public Shape shape() {
        return shape;
    }

    public int size() {
        return halves.length;
    }

    /** One number, of all in the order of their memory. */
    public float at(int index) {
        return Float.float16ToFloat(halves[index]);
    }

    /** Writes all numbers in fp32. */
    public void copyTo(MemorySegment target) {
        for (int i = 0; i < halves.length; i++) {
            target.setAtIndex(ValueLayout.JAVA_FLOAT, i, at(i));
        }
    }

    short[] halves() {
        return halves;
    }

    /**
     * The cosine of the angle between two tensors as flat vectors, in -1 to 1; 0 where their shapes differ or one is
     * zero.
     */
    public double cosine(HalfTensor other) {
        if (!shape.equals(other.shape)) {
            return 0;
        }
        double dot = 0;
        double mine = 0;
        double its = 0;
        for (int i = 0; i < halves.length; i++) {
            float a = at(i);
            float b = other.at(i);
            dot += (double) a * b;
            mine += (double) a * a;
            its += (double) b * b;
        }
        return mine == 0 || its == 0 ? 0 : Math.clamp(dot / Math.sqrt(mine * its), -1, 1);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HalfTensor tensor && shape.equals(tensor.shape) && Arrays.equals(halves, tensor.halves);
    }

    @Override
    public int hashCode() {
        return 31 * shape.hashCode() + Arrays.hashCode(halves);
    }

    @Override
    public String toString() {
        return "fp16 " + shape;
    }
}
