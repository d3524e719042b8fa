package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Gives the open dimensions of a network's inputs their values, or the ranges that they may have. */
final class InputShapes {
    private final NetworkDefinition network;

    InputShapes(NetworkDefinition network) {
        this.network = network;
    }

    /** Fixes the dimensions with these names. */
    void fix(Map<String, Long> dimensions) {
        for (NetworkTensor input : network.inputs()) {
            Shape shape = input.shape();
            Shape fixed = Shape.of(IntStream.range(0, shape.rank()).mapToLong(index -> shape.dim(index) >= 0
                ? shape.dim(index) : dimensions.getOrDefault(input.dimensionName(index), Shape.UNKNOWN)).toArray());
            if (!fixed.equals(shape)) {
                input.setShape(fixed);
            }
        }
    }

    /** Adds a profile with the ranges of what is still open, if anything is. */
    void addProfile(EngineBuilder builder, BuilderConfig config, BuildOptions.OpenDimensions range) {
        List<NetworkTensor> open = network.inputs().stream().filter(input -> !input.shape().isKnown()).toList();
        if (open.isEmpty()) {
            return;
        }
        OptimizationProfile profile = builder.createProfile();
        for (NetworkTensor input : open) {
            profile.setShapes(input.name(), filled(input, range.least()), filled(input, range.usual()),
                filled(input, range.most()));
        }
        config.addProfile(profile);
    }

    private static Shape filled(NetworkTensor input, long value) {
        return Shape.of(Arrays.stream(input.shape().toArray()).map(dim -> dim < 0 ? value : dim).toArray());
    }
}
