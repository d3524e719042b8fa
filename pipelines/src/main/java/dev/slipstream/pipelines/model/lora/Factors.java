package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How a file stores the change of a weight: as tensors from which a matrix [outputs, inputs · kernel · kernel] is
 * computed. Only names and shapes are here; the values stay in the file.
 *
 * <p>Sources: LoRA, arXiv 2106.09685; LyCORIS, arXiv 2309.14859, and its file formats; FedPara for the Hadamard
 * product, arXiv 2108.06098.
 */
public sealed interface Factors {
    /** A tensor of the file. */
    record Factor(String name, Shape shape) {
        @Override
        public String toString() {
            return name + " " + shape;
        }
    }

    /** All tensors; the name of the first stands for the change in messages. */
    List<Factor> tensors();

    /** Whether the tensors fit each other. */
    boolean isConsistent();

    /**
     * The dimensions of the change, outputs first, without kernels of one pixel; with two dimensions, the second may
     * include a kernel.
     */
    long[] dims();

    /** The number that alpha is divided by; empty if nothing is factored. */
    OptionalLong rank();

    /** Whether it changes a weight of this shape; linear layers may be stored as convolutions of one pixel. */
    default boolean fits(Shape weight) {
        long[] dims = dims();
        long[] wanted = withoutOnes(weight.toArray());
        return Arrays.equals(dims, wanted)
            || dims.length == 2 && wanted.length > 1 && dims[0] == wanted[0] && dims[1] == product(wanted) / wanted[0];
    }

    private static long[] withoutOnes(long[] dims) {
        int end = dims.length;
        while (end > 1 && dims[end - 1] == 1) {
            end--;
        }
        return Arrays.copyOf(dims, end);
    }

    private static long product(long... dims) {
        return Arrays.stream(dims).reduce(1, (a, b) -> b != 0 && a > Long.MAX_VALUE / b ? Long.MAX_VALUE : a * b);
    }

    private static boolean isMatrix(Shape shape) {
        return shape.rank() >= 2 && shape.elements() > 0 && shape.elements() == shape.dim(0) * shape.dim(1);
    }

    /**
     * {@code up · down}.
     *
     * @param up [outputs, rank] or [outputs, rank, 1, 1]
     * @param down [rank, inputs] or [rank, inputs, kernel, kernel]
     */
    record LowRank(Factor up, Factor down) implements Factors {
        @Override
        public List<Factor> tensors() {
            return List.of(down, up);
        }

        @Override
        public boolean isConsistent() {
            return isMatrix(up.shape) && down.shape.rank() >= 2 && down.shape.elements() > 0
                && up.shape.dim(1) == down.shape.dim(0);
        }

        @Override
        public long[] dims() {
            long[] dims = down.shape.toArray();
            dims[0] = up.shape.dim(0);
            return withoutOnes(dims);
        }

        @Override
        public OptionalLong rank() {
            return OptionalLong.of(down.shape.dim(0));
        }
    }

    /**
     * A convolution in three steps: one of one pixel down to the rank, the kernel at that rank, one of one pixel up.
     *
     * @param up [outputs, rank], or its transpose
     * @param core [rank, rank, kernel, kernel]
     * @param down [rank, inputs]
     * @param transposed whether {@code up} is [rank, outputs], as LyCORIS has it
     */
    record Tucker(Factor up, Factor core, Factor down, boolean transposed) implements Factors {
        @Override
        public List<Factor> tensors() {
            return List.of(down, core, up);
        }

        @Override
        public boolean isConsistent() {
            return isMatrix(up.shape) && isMatrix(down.shape) && core.shape.rank() >= 2 && core.shape.elements() > 0
                && up.shape.dim(transposed ? 0 : 1) == core.shape.dim(0) && core.shape.dim(1) == down.shape.dim(0);
        }

        long outputs() {
            return up.shape.dim(transposed ? 1 : 0);
        }

        @Override
        public long[] dims() {
            long[] dims = core.shape.toArray();
            dims[0] = outputs();
            dims[1] = down.shape.dim(1);
            return withoutOnes(dims);
        }

        @Override
        public OptionalLong rank() {
            return OptionalLong.of(down.shape.dim(0));
        }
    }

    /** The product of two changes, element by element. */
    record Hadamard(Factors first, Factors second) implements Factors {
        @Override
        public List<Factor> tensors() {
            return Stream.concat(first.tensors().stream(), second.tensors().stream()).toList();
        }

        @Override
        public boolean isConsistent() {
            return first.isConsistent() && second.isConsistent() && Arrays.equals(first.dims(), second.dims());
        }

        @Override
        public long[] dims() {
            return first.dims();
        }

        @Override
        public OptionalLong rank() {
            return first.rank();
        }
    }

    /** The Kronecker product: each element of the first is replaced by the second multiplied by that element. */
    record Kronecker(Factors first, Factors second) implements Factors {
        @Override
        public List<Factor> tensors() {
            return Stream.concat(first.tensors().stream(), second.tensors().stream()).toList();
        }

        /** If there is a kernel, it belongs to the second. */
        @Override
        public boolean isConsistent() {
            return first.isConsistent() && second.isConsistent() && first.dims().length <= 2;
        }

        @Override
        public long[] dims() {
            long[] blocks = Arrays.copyOf(first.dims(), 2);
            long[] block = second.dims();
            long inner = Math.max(blocks[1], 1);
            return withoutOnes(LongStream.concat(
                LongStream.of(product(blocks[0], block[0]), product(inner, block.length > 1 ? block[1] : 1)),
                Arrays.stream(block).skip(2)).toArray());
        }

        /** LyCORIS' rule: the second's if that is factored, else the first's. */
        @Override
        public OptionalLong rank() {
            return second.rank().isPresent() ? second.rank() : first.rank();
        }
    }

    /** Nothing factored: the change itself. */
    record Full(Factor values) implements Factors {
        @Override
        public List<Factor> tensors() {
            return List.of(values);
        }

        @Override
        public boolean isConsistent() {
            return values.shape.rank() > 0 && values.shape.elements() > 0;
        }

        @Override
        public long[] dims() {
            return withoutOnes(values.shape.toArray());
        }

        @Override
        public OptionalLong rank() {
            return OptionalLong.empty();
        }
    }
}
