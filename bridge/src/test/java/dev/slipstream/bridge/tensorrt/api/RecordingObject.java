package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** An object that TensorRT can call by any slot: it notes the slot and answers zero. It is its own implementation. */
public final class RecordingObject {
    private static final int SLOTS = 100;
    private static final FunctionDescriptor ANY = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS);

    private final Set<Integer> called = new ConcurrentSkipListSet<>();
    private final MemorySegment object;

    public RecordingObject(Arena arena) {
        MemorySegment table = arena.allocate(ValueLayout.ADDRESS, SLOTS);
        for (int slot = 0; slot < SLOTS; slot++) {
            table.setAtIndex(ValueLayout.ADDRESS, slot,
                Linker.nativeLinker().upcallStub(answering(slot), ANY, arena));
        }
        object = arena.allocate(ValueLayout.ADDRESS, 2);
        object.setAtIndex(ValueLayout.ADDRESS, 0, table);
        object.setAtIndex(ValueLayout.ADDRESS, 1, object);
    }

    /** This as a network, whose builder and runtime are nothing but Java methods too. */
    public NetworkDefinition asNetwork(TensorRt tensorRt, InferenceRuntime.CudaReady claimed) {
        int major = tensorRt.major();
        try (InferenceRuntime runtime = new InferenceRuntime(tensorRt, claimed,
                CppObject.at(object, CppClass.RUNTIME, major));
                EngineBuilder builder = new EngineBuilder(runtime, CppObject.at(object, CppClass.BUILDER, major))) {
            return new NetworkDefinition(builder, CppObject.at(object, CppClass.NETWORK, major));
        }
    }

    public Set<Integer> called() {
        return called;
    }

    private MethodHandle answering(int slot) {
        try {
            return MethodHandles.insertArguments(MethodHandles.lookup().bind(this, "note",
                MethodType.methodType(MemorySegment.class, int.class, MemorySegment.class)), 0, slot);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException(missing);
        }
    }

    private MemorySegment note(int slot, MemorySegment self) {
        called.add(slot);
        return MemorySegment.NULL;
    }
}
