package dev.slipstream.bridge;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** A function in Java that native code calls. What it throws ends the virtual machine. */
@FunctionalInterface
public interface Upcall {
    Object call(Object[] arguments);

    /** A pointer to a function of any signature, which lives as long as the arena. */
    static MemorySegment stub(FunctionDescriptor descriptor, Arena arena, Upcall body) {
        MethodHandle call;
        try {
            call = MethodHandles.lookup().findVirtual(Upcall.class, "call",
                MethodType.methodType(Object.class, Object[].class)).bindTo(body);
        } catch (ReflectiveOperationException missing) {
            throw new AssertionError(missing);
        }
        MethodType type = descriptor.toMethodType();
        return Linker.nativeLinker().upcallStub(
            call.asCollector(Object[].class, type.parameterCount()).asType(type), descriptor, arena);
    }
}
