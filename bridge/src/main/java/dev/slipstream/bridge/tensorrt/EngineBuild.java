package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.abi.TensorRtException;
import dev.slipstream.bridge.tensorrt.api.BuilderConfig;
import dev.slipstream.bridge.tensorrt.api.EngineBuilder;
import dev.slipstream.bridge.tensorrt.api.HostMemory;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.NetworkDefinition;
import dev.slipstream.bridge.tensorrt.api.OnnxParser;
import dev.slipstream.bridge.tensorrt.api.OptimizationProfile;
import dev.slipstream.bridge.tensorrt.api.ProgressMonitor;
import dev.slipstream.bridge.tensorrt.api.TimingCache;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One build of an engine from its graph. Closing it frees the serialised engine. */
final class EngineBuild implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineBuild.class);
    private static final int TOLD_ERRORS = 3;

    private final InferenceRuntime runtime;
    private final EngineSource source;
    private final BuildOptions options;
    private final ProgressMonitor.Listener progress;
    private final TimingCaches timings;
    private Optional<HostMemory> built = Optional.empty();

    EngineBuild(InferenceRuntime runtime, EngineSource source, BuildOptions options, ProgressMonitor.Listener progress,
            TimingCaches timings) {
        this.runtime = runtime;
        this.source = source;
        this.options = options;
        this.progress = progress;
        this.timings = timings;
    }

    boolean isDone() {
        return built.isPresent();
    }

    /**
     * The serialised engine, which lives as long as this; built if it is not yet.
     *
     * @throws DeviceException with the reason
     */
    MemorySegment bytes() {
        if (built.isEmpty()) {
            built = Optional.of(build());
        }
        return built.get().bytes();
    }

    /** The parser owns the weights of the network, so it is closed after the build and before the network. */
    private HostMemory build() {
        try (Arena arena = Arena.ofConfined(); EngineBuilder builder = runtime.createBuilder();
                NetworkDefinition network = builder.createNetwork(); OnnxParser parser = network.createParser()) {
            parse(network, parser, inNative(source.onnx(), arena));
            fixShapes(network);
            refuseShapeInputs(network);
            try (BuilderConfig config = builder.createConfig(); TimingCache cache = timings.load(config)) {
                configure(config);
                addProfile(network, builder, config);
                HostMemory engine = builder.build(network, config);
                timings.save(config, cache);
                return engine;
            }
        }
    }

    /** What remains in the buffer, where C++ can read it: itself if it is native memory already, or else a copy. */
    private static MemorySegment inNative(ByteBuffer buffer, Arena arena) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer);
        return bytes.isNative() ? bytes : arena.allocate(bytes.byteSize(), Long.BYTES).copyFrom(bytes);
    }

    private void parse(NetworkDefinition network, OnnxParser parser, MemorySegment onnx) {
        if (onnx.byteSize() == 0) {
            throw new TensorRtException("the graph is empty (no bytes)", null);
        }
        long mark = runtime.tensorRt().mark();
        if (!parser.parse(onnx, source.weightFolder())) {
            List<OnnxParser.Problem> errors = parser.errors();
            throw errors.isEmpty() ? network.failure(Method.PARSE, "", mark)
                : new TensorRtException("the graph was refused: " + told(errors), null);
        }
        if (network.outputs() == 0) {
            throw new TensorRtException("the graph has no outputs", null);
        }
        LOGGER.debug("engine {} has {} layers before TensorRT joins them", source.name(), network.layers());
    }

    private static String told(List<OnnxParser.Problem> errors) {
        return errors.stream().limit(TOLD_ERRORS).map(OnnxParser.Problem::toString).collect(Collectors.joining("; "))
            + (errors.size() > TOLD_ERRORS ? "; and " + (errors.size() - TOLD_ERRORS) + " more" : "");
    }

    /** Gives open dimensions of inputs the values that their names have in the source. */
    private void fixShapes(NetworkDefinition network) {
        for (NetworkDefinition.Input input : network.inputs()) {
            Shape shape = input.shape();
            Shape fixed = Shape.of(IntStream.range(0, shape.rank()).mapToLong(index -> shape.dim(index) >= 0
                ? shape.dim(index) : source.dimensions().getOrDefault(input.dimensionName(index), Shape.UNKNOWN))
                .toArray());
            if (!fixed.equals(shape)) {
                input.setShape(fixed);
            }
        }
    }

    /** Adds the ranges of dimensions that are still open, if any are. */
    private void addProfile(NetworkDefinition network, EngineBuilder builder, BuilderConfig config) {
        List<NetworkDefinition.Input> open =
            network.inputs().stream().filter(input -> !input.shape().isKnown()).toList();
        if (open.isEmpty()) {
            return;
        }
        BuildOptions.OpenDimensions range = options.open();
        OptimizationProfile profile = builder.createProfile();
        for (NetworkDefinition.Input input : open) {
            profile.setShapes(input.name(), filled(input, range.least()), filled(input, range.usual()),
                filled(input, range.most()));
        }
        config.addProfile(profile);
    }

    private static Shape filled(NetworkDefinition.Input input, long value) {
        return Shape.of(Arrays.stream(input.shape().toArray()).map(dim -> dim < 0 ? value : dim).toArray());
    }

    private void refuseShapeInputs(NetworkDefinition network) {
        network.inputs().stream().filter(NetworkDefinition.Input::decidesShapes).findFirst().ifPresent(input -> {
            throw new TensorRtException("the values of input '" + input.name()
                + "' decide shapes, which TensorRT needs on the host; make it a constant of the graph", null);
        });
    }

    private void configure(BuilderConfig config) {
        config.setTf32(options.tf32());
        config.setOptimizationLevel(options.optimizationLevel());
        options.workspaceBytes().ifPresent(config::limitWorkspace);
        if (options.refittable()) {
            config.setRefittable();
        }
        config.setProgress(progress);
    }

    @Override
    public void close() {
        built.ifPresent(HostMemory::close);
        built = Optional.empty();
    }
}
