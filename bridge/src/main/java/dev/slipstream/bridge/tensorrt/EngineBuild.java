package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One build of an engine from its graph. Closing it frees the serialised engine. */
final class EngineBuild implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineBuild.class);
    private static final int TOLD_ERRORS = 3;

    private final InferenceRuntime runtime;
    private final EngineSource source;
    private final BuildOptions options;
    private final BuildProgress progress;
    private final TimingCaches timings;
    private Optional<HostMemory> built = Optional.empty();

    EngineBuild(InferenceRuntime runtime, EngineSource source, BuildOptions options, BuildProgress progress,
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
            parse(network, parser, NativeBytes.of(source.onnx(), arena));
            InputShapes shapes = new InputShapes(network);
            shapes.fix(source.dimensions());
            refuseShapeInputs(network);
            try (BuilderConfig config = builder.createConfig(); TimingCache cache = timings.load(config)) {
                configure(config);
                shapes.addProfile(builder, config, options.open());
                HostMemory engine = builder.build(network, config);
                timings.save(config, cache);
                return engine;
            }
        }
    }

    private void parse(NetworkDefinition network, OnnxParser parser, MemorySegment onnx) {
        if (onnx.byteSize() == 0) {
            throw new TensorRtException("the graph is empty (no bytes)", null);
        }
        long mark = runtime.tensorRt().mark();
        if (!parser.parse(onnx, source.weightFolder())) {
            List<ParserError> errors = parser.errors();
            throw errors.isEmpty() ? network.failure(Method.PARSE, "", mark)
                : new TensorRtException("the graph was refused: " + told(errors), null);
        }
        if (network.outputs() == 0) {
            throw new TensorRtException("the graph has no outputs", null);
        }
        LOGGER.debug("engine {} has {} layers before TensorRT joins them", source.name(), network.layers());
    }

    private static String told(List<ParserError> errors) {
        return errors.stream().limit(TOLD_ERRORS).map(ParserError::toString).collect(Collectors.joining("; "))
            + (errors.size() > TOLD_ERRORS ? "; and " + (errors.size() - TOLD_ERRORS) + " more" : "");
    }

    private void refuseShapeInputs(NetworkDefinition network) {
        network.inputs().stream().filter(NetworkTensor::decidesShapes).findFirst().ifPresent(input -> {
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
