package dev.slipstream.bridge.tensorrt.abi;

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
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An object for C++ whose methods are Java's: a pointer to a table, whose entries call back. The methods must not
 * throw, as that would end the virtual machine. It lives as long as the arena that it was made in.
 */
public final class JavaObject {
    /** What {@code getInterfaceInfo} returns by value: name, major and minor version. */
    private static final StructLayout INTERFACE_INFO = MemoryLayout.structLayout(ValueLayout.ADDRESS,
        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    /** A function of the C library that ignores its arguments, has no effect here, and returns 0. */
    private static final MemorySegment NOTHING =
        Linker.nativeLinker().defaultLookup().find("sched_yield").orElseThrow();

    private final MemorySegment address;
    private final MemorySegment table;
    private final Set<Integer> structReturning;

    private JavaObject(MemorySegment address, MemorySegment table, Set<Integer> structReturning) {
        this.address = address;
        this.table = table;
        this.structReturning = structReturning;
    }

    /** @param arena must stay open for as long as C++ may call */
    public static Builder in(Arena arena) {
        return new Builder(arena);
    }

    /** For C++. */
    public MemorySegment address() {
        return address;
    }

    /** From now on its methods do nothing and return 0, without Java; but those that return a struct stay. */
    public void silence() {
        for (int slot = 0; slot < table.byteSize() / ValueLayout.ADDRESS.byteSize(); slot++) {
            if (!structReturning.contains(slot)) {
                table.setAtIndex(ValueLayout.ADDRESS, slot, NOTHING);
            }
        }
    }

    /** A method of {@code target} as something that {@link Builder#method} takes. */
    public static MethodHandle bound(MethodHandles.Lookup lookup, Object target, String name,
            FunctionDescriptor descriptor) {
        MethodType type = descriptor.toMethodType();
        try {
            return lookup.bind(target, name, type);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException(missing);
        }
    }

    /** Takes the virtual methods in the order of their slots. */
    public static final class Builder {
        private final Arena arena;
        private final List<MemorySegment> functions = new ArrayList<>();
        private final Set<Integer> structReturning = new HashSet<>();

        private Builder(Arena arena) {
            this.arena = arena;
        }

        /** Adds the next virtual method. @param target takes {@code this} and the arguments */
        public Builder method(MethodHandle target, FunctionDescriptor descriptor) {
            if (descriptor.returnLayout().filter(StructLayout.class::isInstance).isPresent()) {
                structReturning.add(functions.size());
            }
            functions.add(Linker.nativeLinker().upcallStub(target, descriptor, arena));
            return this;
        }

        /** Adds the two entries of a destructor. They do nothing: the memory is the arena's. */
        public Builder destructor() {
            FunctionDescriptor descriptor = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS);
            MethodHandle nothing = MethodHandles.empty(descriptor.toMethodType());
            return method(nothing, descriptor).method(nothing, descriptor);
        }

        /** Adds what every {@code IVersionedInterface} begins with: its language (C++), its name, its destructor. */
        public Builder versionedInterface(String name) {
            FunctionDescriptor language = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
            MemorySegment info = arena.allocate(INTERFACE_INFO);
            info.set(ValueLayout.ADDRESS, 0, arena.allocateFrom(name));
            info.set(ValueLayout.JAVA_INT, ValueLayout.ADDRESS.byteSize(), 1);
            MethodHandle getInfo = MethodHandles.dropArguments(MethodHandles.constant(MemorySegment.class, info), 0,
                MemorySegment.class);
            return method(MethodHandles.empty(language.toMethodType()), language)
                .method(getInfo, FunctionDescriptor.of(INTERFACE_INFO, ValueLayout.ADDRESS)).destructor();
        }

        /** The object. Before its table are two words for the type's name, which are never read. */
        public JavaObject build() {
            MemorySegment table = arena.allocate(ValueLayout.ADDRESS, functions.size() + 2L)
                .asSlice(2 * ValueLayout.ADDRESS.byteSize());
            for (int slot = 0; slot < functions.size(); slot++) {
                table.setAtIndex(ValueLayout.ADDRESS, slot, functions.get(slot));
            }
            MemorySegment object = arena.allocate(ValueLayout.ADDRESS);
            object.set(ValueLayout.ADDRESS, 0, table);
            return new JavaObject(object, table, structReturning);
        }
    }
}
