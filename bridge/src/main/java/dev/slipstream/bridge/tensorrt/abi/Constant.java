package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.DataType;
import java.util.Arrays;
import java.util.Optional;

/**
 * The values of TensorRT's enumerations that are used. Version 11 removed deprecated ones, and counted some of the
 * others anew; the test that proves the slots proves these too.
 */
public enum Constant {
    STRONGLY_TYPED("NetworkDefinitionCreationFlag", "kSTRONGLY_TYPED", 1, 0),
    REFITTABLE("BuilderFlag", "kREFIT", 4, 4),
    TF32("BuilderFlag", "kTF32", 6, 6),
    WORKSPACE("MemoryPoolType", "kWORKSPACE", 0, 0),
    MINIMUM("OptProfileSelector", "kMIN", 0, 0),
    OPTIMUM("OptProfileSelector", "kOPT", 1, 1),
    MAXIMUM("OptProfileSelector", "kMAX", 2, 2),
    STATIC_MEMORY("ExecutionContextAllocationStrategy", "kSTATIC", 0, 0),
    INPUT("TensorIOMode", "kINPUT", 1, 1),
    ON_DEVICE("TensorLocation", "kDEVICE", 0, 0),
    JSON("LayerInformationFormat", "kJSON", 1, 1),
    FLOAT("DataType", "kFLOAT", 0, 0),
    HALF("DataType", "kHALF", 1, 1),
    INT32("DataType", "kINT32", 3, 3),
    BOOL("DataType", "kBOOL", 4, 4),
    BF16("DataType", "kBF16", 7, 7),
    INT64("DataType", "kINT64", 8, 8);

    private final String type;
    private final String cppName;
    private final int value10;
    private final int value11;

    Constant(String type, String cppName, int value10, int value11) {
        this.type = type;
        this.cppName = cppName;
        this.value10 = value10;
        this.value11 = value11;
    }

    public String type() {
        return type;
    }

    public String cppName() {
        return cppName;
    }

    /** @param major 10 or 11 */
    public int value(int major) {
        return major == 10 ? value10 : value11;
    }

    /** What TensorRT calls an element type of ours. */
    public static Constant of(DataType type) {
        return switch (type) {
            case FLOAT32 -> FLOAT;
            case FLOAT16 -> HALF;
            case BFLOAT16 -> BF16;
            case INT64 -> INT64;
            case INT32 -> INT32;
            case BOOL -> BOOL;
        };
    }

    /** Our element type for TensorRT's number; empty if we have none. */
    public static Optional<DataType> dataType(int number, int major) {
        return Arrays.stream(DataType.values()).filter(type -> of(type).value(major) == number).findFirst();
    }
}
