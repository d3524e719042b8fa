package dev.slipstream.bridge.tensorrt.abi;

/**
 * The virtual methods that are called: class, name, slot in TensorRT 10 and in TensorRT 11, and what crosses.
 *
 * <p>A wrong entry crashes the virtual machine instead of throwing. So a test proves each of them, in every build:
 * against the class files of a public Java binding of TensorRT 10.6, 10.15 and 11.2, which declare all virtual methods
 * in the order of the header. Within version 10 slots were only ever appended (10.8.0 alone moved some of the network's
 * behind those used here), which lets one column serve all of it. Version 11 removed methods and so moved the others.
 *
 * <p>Class files do not tell where the parser's class has its destructor: by the public headers (10.14 to 11.1) behind
 * {@code clearErrors}, the last method that is used. The live tests call both in the real libraries.
 */
public enum Method {
    DESERIALIZE_ENGINE(CppClass.RUNTIME, "deserializeCudaEngine", 3, 3, Signature.PTR_PTR_LONG),

    SERIALIZE_ENGINE(CppClass.ENGINE, "serialize", 4, 4, Signature.GET_PTR),
    CREATE_CONTEXT(CppClass.ENGINE, "createExecutionContext", 5, 5, Signature.PTR_INT),
    IS_REFITTABLE(CppClass.ENGINE, "isRefittable", 8, 6, Signature.GET_BOOL),
    CREATE_INSPECTOR(CppClass.ENGINE, "createEngineInspector", 18, 14, Signature.GET_PTR),
    GET_TENSOR_SHAPE(CppClass.ENGINE, "getTensorShape", 19, 15, Signature.DIMS_PTR),
    GET_TENSOR_TYPE(CppClass.ENGINE, "getTensorDataType", 20, 16, Signature.INT_PTR),
    GET_TENSOR_LOCATION(CppClass.ENGINE, "getTensorLocation", 21, 17, Signature.INT_PTR),
    GET_TENSOR_MODE(CppClass.ENGINE, "getTensorIOMode", 23, 19, Signature.INT_PTR),
    GET_PROFILE_SHAPE(CppClass.ENGINE, "getProfileShape", 29, 25, Signature.DIMS_PTR_INT_INT),
    COUNT_TENSORS(CppClass.ENGINE, "getNbIOTensors", 30, 26, Signature.GET_INT),
    GET_TENSOR_NAME(CppClass.ENGINE, "getIOTensorName", 31, 27, Signature.PTR_INT),
    CREATE_REFITTER(CppClass.ENGINE, "createRefitter", 42, 37, Signature.PTR_PTR),
    GET_CONTEXT_BYTES(CppClass.ENGINE, "getDeviceMemorySizeV2", 52, 44, Signature.GET_LONG),

    SET_INPUT_SHAPE(CppClass.CONTEXT, "setInputShape", 21, 20, Signature.BOOL_PTR_PTR),
    GET_CURRENT_SHAPE(CppClass.CONTEXT, "getTensorShape", 22, 21, Signature.DIMS_PTR),
    SET_TENSOR_ADDRESS(CppClass.CONTEXT, "setTensorAddress", 24, 23, Signature.BOOL_PTR_PTR),
    ENQUEUE(CppClass.CONTEXT, "enqueueV3", 37, 36, Signature.BOOL_PTR),

    GET_DATA(CppClass.HOST_MEMORY, "data", 2, 2, Signature.GET_PTR),
    GET_SIZE(CppClass.HOST_MEMORY, "size", 3, 3, Signature.GET_LONG),

    CREATE_CONFIG(CppClass.BUILDER, "createBuilderConfig", 7, 5, Signature.GET_PTR),
    CREATE_NETWORK(CppClass.BUILDER, "createNetworkV2", 8, 6, Signature.PTR_INT),
    CREATE_PROFILE(CppClass.BUILDER, "createOptimizationProfile", 9, 7, Signature.GET_PTR),
    BUILD_ENGINE(CppClass.BUILDER, "buildSerializedNetwork", 14, 11, Signature.PTR_PTR_PTR),

    CLEAR_FLAG(CppClass.CONFIG, "clearFlag", 10, 8, Signature.VOID_INT),
    SET_FLAG(CppClass.CONFIG, "setFlag", 11, 9, Signature.VOID_INT),
    ADD_PROFILE(CppClass.CONFIG, "addOptimizationProfile", 25, 23, Signature.INT_PTR),
    CREATE_TIMING_CACHE(CppClass.CONFIG, "createTimingCache", 40, 29, Signature.PTR_PTR_LONG),
    SET_TIMING_CACHE(CppClass.CONFIG, "setTimingCache", 41, 30, Signature.BOOL_PTR_BOOL),
    SET_MEMORY_LIMIT(CppClass.CONFIG, "setMemoryPoolLimit", 43, 32, Signature.VOID_INT_LONG),
    SET_OPTIMIZATION_LEVEL(CppClass.CONFIG, "setBuilderOptimizationLevel", 47, 36, Signature.VOID_INT),
    SET_PROGRESS_MONITOR(CppClass.CONFIG, "setProgressMonitor", 56, 45, Signature.VOID_PTR),

    SET_PROFILE_DIMENSIONS(CppClass.PROFILE, "setDimensions", 2, 2, Signature.BOOL_PTR_INT_PTR),

    COUNT_LAYERS(CppClass.NETWORK, "getNbLayers", 12, 12, Signature.GET_INT),
    COUNT_INPUTS(CppClass.NETWORK, "getNbInputs", 14, 14, Signature.GET_INT),
    GET_INPUT(CppClass.NETWORK, "getInput", 15, 15, Signature.PTR_INT),
    COUNT_OUTPUTS(CppClass.NETWORK, "getNbOutputs", 16, 16, Signature.GET_INT),

    GET_NAME(CppClass.TENSOR, "getName", 3, 3, Signature.GET_PTR),
    SET_DIMENSIONS(CppClass.TENSOR, "setDimensions", 4, 4, Signature.VOID_PTR),
    GET_DIMENSIONS(CppClass.TENSOR, "getDimensions", 5, 5, Signature.GET_DIMS),
    IS_SHAPE_TENSOR(CppClass.TENSOR, "isShapeTensor", 21, 15, Signature.GET_BOOL),
    GET_DIMENSION_NAME(CppClass.TENSOR, "getDimensionName", 24, 18, Signature.PTR_INT),

    REFIT(CppClass.REFITTER, "refitCudaEngine", 4, 4, Signature.GET_BOOL),
    SET_NAMED_WEIGHTS(CppClass.REFITTER, "setNamedWeights", 13, 9, Signature.BOOL_PTR_WEIGHTS),
    GET_MISSING_WEIGHTS(CppClass.REFITTER, "getMissingWeights", 14, 10, Signature.INT_INT_PTR),
    GET_ALL_WEIGHTS(CppClass.REFITTER, "getAllWeights", 15, 11, Signature.INT_INT_PTR),
    REFIT_ASYNC(CppClass.REFITTER, "refitCudaEngineAsync", 25, 21, Signature.BOOL_PTR),
    GET_WEIGHTS_PROTOTYPE(CppClass.REFITTER, "getWeightsPrototype", 26, 22, Signature.WEIGHTS_PTR),

    SERIALIZE_TIMING_CACHE(CppClass.TIMING_CACHE, "serialize", 2, 2, Signature.GET_PTR),
    COMBINE_TIMING_CACHES(CppClass.TIMING_CACHE, "combine", 3, 3, Signature.BOOL_PTR_BOOL),

    GET_ENGINE_INFORMATION(CppClass.INSPECTOR, "getEngineInformation", 6, 6, Signature.PTR_INT),

    PARSE(CppClass.PARSER, "parse", 0, 0, Signature.BOOL_PTR_LONG_PTR),
    SUPPORTS_OPERATOR(CppClass.PARSER, "supportsOperator", 4, 2, Signature.BOOL_PTR),
    COUNT_ERRORS(CppClass.PARSER, "getNbErrors", 5, 3, Signature.GET_INT),
    GET_ERROR(CppClass.PARSER, "getError", 6, 4, Signature.PTR_INT),
    CLEAR_ERRORS(CppClass.PARSER, "clearErrors", 7, 5, Signature.VOID),

    ERROR_CODE(CppClass.PARSER_ERROR, "code", 0, 0, Signature.GET_INT),
    ERROR_DESCRIPTION(CppClass.PARSER_ERROR, "desc", 1, 1, Signature.GET_PTR),
    ERROR_NODE(CppClass.PARSER_ERROR, "node", 5, 5, Signature.GET_INT),
    ERROR_NODE_NAME(CppClass.PARSER_ERROR, "nodeName", 6, 6, Signature.GET_PTR),
    ERROR_NODE_OPERATOR(CppClass.PARSER_ERROR, "nodeOperator", 7, 7, Signature.GET_PTR);

    private final CppClass type;
    private final String cppName;
    private final int slot10;
    private final int slot11;
    private final Signature signature;

    Method(CppClass type, String cppName, int slot10, int slot11, Signature signature) {
        this.type = type;
        this.cppName = cppName;
        this.slot10 = slot10;
        this.slot11 = slot11;
        this.signature = signature;
    }

    public CppClass type() {
        return type;
    }

    public String cppName() {
        return cppName;
    }

    Signature signature() {
        return signature;
    }

    /** @param major 10 or 11; others are refused before anything is called */
    public int slot(int major) {
        return major == 10 ? slot10 : slot11;
    }

    @Override
    public String toString() {
        return type.binaryName() + "::" + cppName;
    }
}
