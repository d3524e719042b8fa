package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.abi.Weights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** TensorRT's {@code IRefitter}: gives an engine new weights without building it again, as for another LoRA. */
public final class Refitter extends NativeObject {
    Refitter(InferenceEngine engine, CppObject object) {
        super(engine.tensorRt(), object, Optional.of(engine));
    }

    /** Names of all weights that can be replaced: those of the graph's initializers. */
    public List<String> all() {
        return names(Method.GET_ALL_WEIGHTS);
    }

    /** Names of weights that must be given too, because of others that were given. */
    public List<String> missing() {
        return names(Method.GET_MISSING_WEIGHTS);
    }

    /** Element type and count of some weights; its values are NULL. */
    public Weights prototype(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return object().weights(Method.GET_WEIGHTS_PROTOTYPE, arena.allocateFrom(name));
        }
    }

    /**
     * Sets new values of some weights.
     *
     * @param weights in host memory, which must be kept until the refit is done
     * @throws DeviceException if there are no such weights, or they are of another type or size
     */
    public void set(String name, Weights weights) {
        long mark = tensorRt().mark();
        try (Arena arena = Arena.ofConfined()) {
            boolean done = object().bool(Method.SET_NAMED_WEIGHTS, arena.allocateFrom(name), weights);
            check(done, Method.SET_NAMED_WEIGHTS, "'" + name + "'", mark);
        }
    }

    /** Replaces the weights, and waits for it. No context of the engine may run meanwhile. */
    public void refit() {
        long mark = tensorRt().mark();
        check(object().bool(Method.REFIT), Method.REFIT, "", mark);
    }

    /** Queues the replacement. @param stream a CUstream */
    public void refit(MemorySegment stream) {
        long mark = tensorRt().mark();
        check(object().bool(Method.REFIT_ASYNC, stream), Method.REFIT_ASYNC, "", mark);
    }

    private List<String> names(Method method) {
        int count = object().int32(method, 0, MemorySegment.NULL);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, count));
            int written = Math.min(count, object().int32(method, count, pointers));
            List<String> names = new ArrayList<>();
            for (int index = 0; index < written; index++) {
                names.add(CppObject.text(pointers.getAtIndex(ValueLayout.ADDRESS, index)));
            }
            return names;
        }
    }
}
