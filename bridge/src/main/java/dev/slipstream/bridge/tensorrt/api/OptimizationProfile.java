package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.tensorrt.abi.Constant;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Dims;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * TensorRT's {@code IOptimizationProfile}: which shapes the inputs with open dimensions may have. The builder owns it,
 * so it is not closed; C++ has no public destructor for it either.
 */
public final class OptimizationProfile {
    private final EngineBuilder builder;
    private final CppObject object;

    OptimizationProfile(EngineBuilder builder, CppObject object) {
        this.builder = builder;
        this.object = object;
    }

    public MemorySegment address() {
        return object().address();
    }

    /**
     * @param least the smallest shape that may be asked for
     * @param usual the one that kernels are chosen for
     * @param most the largest one
     * @throws DeviceException if TensorRT refuses them
     */
    public void setShapes(String input, Shape least, Shape usual, Shape most) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(input);
            set(name, Constant.MINIMUM, least, arena, input);
            set(name, Constant.OPTIMUM, usual, arena, input);
            set(name, Constant.MAXIMUM, most, arena, input);
        }
    }

    private void set(MemorySegment name, Constant selector, Shape shape, Arena arena, String input) {
        long mark = builder.tensorRt().mark();
        boolean done = object().bool(Method.SET_PROFILE_DIMENSIONS, name, selector.value(builder.major()),
            Dims.of(shape, arena));
        builder.check(done, Method.SET_PROFILE_DIMENSIONS, "input '" + input + "' and shape " + shape, mark);
    }

    private CppObject object() {
        builder.object();
        return object;
    }
}
