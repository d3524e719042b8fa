package dev.slipstream.bridge.tensorrt.abi;

/**
 * The classes of TensorRT that are called, named for the class that declares their virtual methods.
 *
 * <p>Most public objects are {@code {vptr, mImpl}}. Their public methods are inlined into each program and call
 * {@code mImpl->method()} on a {@code V…} class; so the slots of the {@code V…} classes are the binary interface that
 * TensorRT keeps within a major version. The ONNX parser's classes have no such second object.
 */
public enum CppClass {
    RUNTIME("nvinfer.VRuntime"),
    ENGINE("nvinfer.VCudaEngine"),
    CONTEXT("nvinfer.VExecutionContext"),
    HOST_MEMORY("nvinfer.VHostMemory"),
    BUILDER("nvinfer.VBuilder"),
    CONFIG("nvinfer.VBuilderConfig"),
    PROFILE("nvinfer.VOptimizationProfile"),
    NETWORK("nvinfer.VNetworkDefinition"),
    TENSOR("nvinfer.VTensor"),
    REFITTER("nvinfer.VRefitter"),
    TIMING_CACHE("nvinfer.VTimingCache"),
    INSPECTOR("nvinfer.VEngineInspector"),
    PARSER("nvonnxparser.IParser"),
    PARSER_ERROR("nvonnxparser.IParserError");

    private final String binaryName;

    CppClass(String binaryName) {
        this.binaryName = binaryName;
    }

    /** Name space and class, as in the Java binding that the slots are verified against. */
    public String binaryName() {
        return binaryName;
    }

    /** Whether calls go to the object behind the one that TensorRT hands out. */
    boolean hasImplementation() {
        return this != PARSER && this != PARSER_ERROR;
    }

    /** Whether the caller owns an object that it asked for. The others belong to the object that they came from. */
    public boolean isOwned() {
        return this != PROFILE && this != TENSOR && this != PARSER_ERROR;
    }

    /**
     * Where the handed-out object's own table has the destructor that also frees it. In the parser's table the two
     * destructors lie among the methods, where its header declares them.
     */
    public int deleteSlot(int major) {
        if (!isOwned()) {
            throw new IllegalStateException(this + " is not to be deleted");
        }
        if (this == PARSER) {
            return major == 10 ? 9 : 7;
        }
        return 1;
    }
}
