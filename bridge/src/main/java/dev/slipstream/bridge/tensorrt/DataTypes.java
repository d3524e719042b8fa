package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DataType;
import java.util.Arrays;
import java.util.Optional;

/** Between TensorRT's element types and ours. */
final class DataTypes {
    private DataTypes() {
    }

    static int number(DataType type, int major) {
        return constant(type).value(major);
    }

    /** Ours; empty if we have none. */
    static Optional<DataType> of(int number, int major) {
        return Arrays.stream(DataType.values()).filter(type -> number(type, major) == number).findFirst();
    }

    private static Constant constant(DataType type) {
        return switch (type) {
            case FLOAT32 -> Constant.FLOAT;
            case FLOAT16 -> Constant.HALF;
            case BFLOAT16 -> Constant.BF16;
            case INT64 -> Constant.INT64;
            case INT32 -> Constant.INT32;
            case BOOL -> Constant.BOOL;
        };
    }
}
