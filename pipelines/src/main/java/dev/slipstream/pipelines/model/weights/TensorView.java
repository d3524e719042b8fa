package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.Shape;
import java.util.List;

/** A tensor that is put together from one tensor of a file, which may have another name, shape or order. */
public sealed interface TensorView {
    /** The tensor of the file. */
    String tensor();

    /** Dimensions of what comes out. */
    Shape shape();

    /**
     * Elements of the tensor, one run after another.
     *
     * @param runs together as many elements as the shape has
     */
    record Runs(String tensor, Shape shape, List<Run> runs) implements TensorView {
        public Runs {
            runs = List.copyOf(runs);
            long count = runs.stream().mapToLong(Run::count).sum();
            if (count != shape.elements()) {
                throw new IllegalArgumentException("a tensor " + shape + " of " + tensor + " cannot be made of "
                    + count + " elements");
            }
        }

        /** All elements in another shape. */
        public static Runs whole(String tensor, Shape shape) {
            return new Runs(tensor, shape, List.of(new Run(0, shape.elements())));
        }
    }

    /** Elements that lie one after another. @param first of them */
    record Run(long first, long count) {
    }

    /** A matrix with rows and columns exchanged. @param shape after that */
    record Transposed(String tensor, Shape shape) implements TensorView {
    }

    /** Ones where row and column are the same, else zeros, of the type of a tensor. */
    record Identity(String tensor, Shape shape) implements TensorView {
    }
}
