package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Optional;

/** Checks the sizes that a file claims for its tensors, before anything is computed with them. */
public final class TensorSizes {
    /** More than any model has and engines take; a file could otherwise ask for thousands. */
    private static final int MOST_DIMENSIONS = 64;

    private TensorSizes() {
    }

    /**
     * What is wrong with dimensions, as the end of a sentence: one is negative, there are more than 64, or they have
     * more bytes than can be counted. Empty if nothing is.
     */
    public static Optional<String> complaint(long... dims) {
        if (dims.length > MOST_DIMENSIONS) {
            return Optional.of("has " + dims.length + " dimensions, more than " + MOST_DIMENSIONS);
        }
        long product = Long.BYTES;
        for (long dim : dims) {
            if (dim < 0) {
                return Optional.of("has a negative dimension, " + dim);
            }
            long high = Math.multiplyHigh(product, dim);
            product *= dim;
            if (high != 0 || product < 0) {
                return Optional.of("is too large to be true, with a dimension of " + dim);
            }
        }
        return Optional.empty();
    }

    /**
     * Checks the dimensions of a tensor in a file.
     *
     * @throws GraphException if there is a {@linkplain #complaint complaint}; the message names the tensor
     */
    public static void checkDimensions(TensorProto tensor) {
        complaint(tensor.getDimsList().stream().mapToLong(Long::longValue).toArray()).ifPresent(complaint -> {
            throw new GraphException("tensor '" + tensor.getName() + "' " + complaint);
        });
    }

    /** As {@link #checkDimensions}; also the bytes that come with the tensor must be as many as the dimensions say. */
    static void check(TensorProto tensor) {
        checkDimensions(tensor);
        long bytes = bytes(tensor);
        if (bytes >= 0 && tensor.hasRawData() && tensor.getRawData().size() != bytes) {
            throw new GraphException("weight '" + tensor.getName() + "' has dimensions " + tensor.getDimsList()
                + ", that is " + bytes + " bytes, but the file holds " + tensor.getRawData().size());
        }
    }

    /** Bytes of a checked tensor's elements by its dimensions, -1 for types without a fixed size. */
    public static long bytes(TensorProto tensor) {
        long elements = tensor.getDimsList().stream().reduce(1L, (product, dim) -> product * dim);
        return switch (DataType.forNumber(tensor.getDataType())) {
            case FLOAT, INT32, UINT32 -> 4 * elements;
            case DOUBLE, INT64, UINT64, COMPLEX64 -> 8 * elements;
            case FLOAT16, BFLOAT16, INT16, UINT16 -> 2 * elements;
            case INT8, UINT8, BOOL -> elements;
            case null, default -> -1;
        };
    }
}
