package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes objects for C++ out of Java methods: a pointer to a table, whose entries call back. The methods must not throw,
 * as that would end the virtual machine.
 */
final class JavaObject {
    /** What {@code getInterfaceInfo} returns by value: name, major and minor version. */
    private static final StructLayout INTERFACE_INFO = MemoryLayout.structLayout(ValueLayout.ADDRESS,
        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

    private final Arena arena;
    private final List<MemorySegment> functions = new ArrayList<>();

    /** @param arena must stay open for as long as TensorRT may call */
    JavaObject(Arena arena) {
        this.arena = arena;
    }

    /** Adds the next virtual method. @param target takes {@code this} and the arguments */
    JavaObject method(MethodHandle target, FunctionDescriptor descriptor) {
        functions.add(Linker.nativeLinker().upcallStub(target, descriptor, arena));
        return this;
    }

    /** Adds the two entries of a destructor. They do nothing: the memory is the arena's. */
    JavaObject destructor() {
        FunctionDescriptor descriptor = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS);
        MethodHandle nothing = MethodHandles.empty(descriptor.toMethodType());
        return method(nothing, descriptor).method(nothing, descriptor);
    }

    /** Adds what every {@code IVersionedInterface} begins with: its language (C++), its name, and its destructor. */
    JavaObject versionedInterface(String name) {
        FunctionDescriptor language = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
        MemorySegment info = arena.allocate(INTERFACE_INFO);
        info.set(ValueLayout.ADDRESS, 0, arena.allocateFrom(name));
        info.set(ValueLayout.JAVA_INT, ValueLayout.ADDRESS.byteSize(), 1);
        MethodHandle getInfo = MethodHandles.dropArguments(MethodHandles.constant(MemorySegment.class, info), 0,
            MemorySegment.class);
        return method(MethodHandles.empty(language.toMethodType()), language)
            .method(getInfo, FunctionDescriptor.of(INTERFACE_INFO, ValueLayout.ADDRESS)).destructor();
    }

    /** The object, whose table begins with two words for the type's name, which nobody asks for. */
    MemorySegment build() {
        MemorySegment table = arena.allocate(ValueLayout.ADDRESS, functions.size() + 2L);
        for (int slot = 0; slot < functions.size(); slot++) {
            table.setAtIndex(ValueLayout.ADDRESS, slot + 2L, functions.get(slot));
        }
        MemorySegment object = arena.allocate(ValueLayout.ADDRESS);
        object.set(ValueLayout.ADDRESS, 0, table.asSlice(2 * ValueLayout.ADDRESS.byteSize()));
        return object;
    }

    /** A method of {@code target} as something that {@link #method} takes. */
    static MethodHandle bound(MethodHandles.Lookup lookup, Object target, String name, FunctionDescriptor descriptor) {
        MethodType type = descriptor.toMethodType();
        try {
            return lookup.bind(target, name, type);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException(missing);
        }
    }
}
