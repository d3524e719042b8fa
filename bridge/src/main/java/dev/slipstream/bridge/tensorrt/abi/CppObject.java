package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The thin layer: an object of TensorRT's, called through the slots of its table. There is one Java method for each
 * {@link Signature}, named for the result; it refuses a {@link Method} that has another. Results come back as they are.
 *
 * <p>Other objects as arguments are passed as {@link #address}; {@code this} of a call is the object behind it.
 */
public final class CppObject {
    private static final long POINTER = ValueLayout.ADDRESS.byteSize();
    /** Without a device TensorRT returns small numbers like 0x238 in place of objects. */
    private static final long LOWEST_ADDRESS = 0x10000;
    private static final int METHODS = Method.values().length;

    private final CppClass type;
    private final int major;
    private final MemorySegment address;
    private final MemorySegment self;
    private final MemorySegment table;
    /** By method, filled when first called: so that calls in the loop allocate nothing. */
    private final MemorySegment[] functions = new MemorySegment[METHODS];

    private CppObject(CppClass type, int major, MemorySegment address, MemorySegment self) {
        this.type = type;
        this.major = major;
        this.address = address;
        this.self = self;
        this.table = table(self);
    }

    /** The object at an address that TensorRT returned. @param major version of TensorRT */
    public static CppObject at(MemorySegment address, CppClass type, int major) {
        MemorySegment self = type.hasImplementation()
            ? address.reinterpret(2 * POINTER).get(ValueLayout.ADDRESS, POINTER) : address;
        return new CppObject(type, major, address, self);
    }

    /** What TensorRT returned, and what it takes where this object is an argument. */
    public MemorySegment address() {
        return address;
    }

    /** Destroys the object and frees its memory. Nothing may be called afterwards. */
    public void delete() {
        try {
            Signature.VOID.handle().invokeExact(entry(table(address), type.deleteSlot(major)), address);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public void run(Method method) {
        try {
            Signature.VOID.handle().invokeExact(function(method, Signature.VOID), self);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public void run(Method method, int first) {
        try {
            Signature.VOID_INT.handle().invokeExact(function(method, Signature.VOID_INT), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public void run(Method method, int first, long second) {
        try {
            Signature.VOID_INT_LONG.handle().invokeExact(
                function(method, Signature.VOID_INT_LONG), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public void run(Method method, MemorySegment first) {
        try {
            Signature.VOID_PTR.handle().invokeExact(function(method, Signature.VOID_PTR), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method) {
        try {
            return (boolean) Signature.GET_BOOL.handle().invokeExact(function(method, Signature.GET_BOOL), self);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first) {
        try {
            return (boolean) Signature.BOOL_PTR.handle().invokeExact(function(method, Signature.BOOL_PTR), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first, boolean second) {
        try {
            return (boolean) Signature.BOOL_PTR_BOOL.handle().invokeExact(
                function(method, Signature.BOOL_PTR_BOOL), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first, MemorySegment second) {
        try {
            return (boolean) Signature.BOOL_PTR_PTR.handle().invokeExact(
                function(method, Signature.BOOL_PTR_PTR), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first, int second, MemorySegment third) {
        try {
            return (boolean) Signature.BOOL_PTR_INT_PTR.handle().invokeExact(
                function(method, Signature.BOOL_PTR_INT_PTR), self, first, second, third);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first, long second, MemorySegment third) {
        try {
            return (boolean) Signature.BOOL_PTR_LONG_PTR.handle().invokeExact(
                function(method, Signature.BOOL_PTR_LONG_PTR), self, first, second, third);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public int int32(Method method) {
        try {
            return (int) Signature.GET_INT.handle().invokeExact(function(method, Signature.GET_INT), self);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public int int32(Method method, MemorySegment first) {
        try {
            return (int) Signature.INT_PTR.handle().invokeExact(function(method, Signature.INT_PTR), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public int int32(Method method, int first, MemorySegment second) {
        try {
            return (int) Signature.INT_INT_PTR.handle().invokeExact(
                function(method, Signature.INT_INT_PTR), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public long int64(Method method) {
        try {
            return (long) Signature.GET_LONG.handle().invokeExact(function(method, Signature.GET_LONG), self);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public MemorySegment pointer(Method method) {
        try {
            return (MemorySegment) Signature.GET_PTR.handle().invokeExact(function(method, Signature.GET_PTR), self);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public MemorySegment pointer(Method method, int first) {
        try {
            return (MemorySegment) Signature.PTR_INT.handle().invokeExact(
                function(method, Signature.PTR_INT), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public MemorySegment pointer(Method method, MemorySegment first) {
        try {
            return (MemorySegment) Signature.PTR_PTR.handle().invokeExact(
                function(method, Signature.PTR_PTR), self, first);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public MemorySegment pointer(Method method, MemorySegment first, MemorySegment second) {
        try {
            return (MemorySegment) Signature.PTR_PTR_PTR.handle().invokeExact(
                function(method, Signature.PTR_PTR_PTR), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public MemorySegment pointer(Method method, MemorySegment first, long second) {
        try {
            return (MemorySegment) Signature.PTR_PTR_LONG.handle().invokeExact(
                function(method, Signature.PTR_PTR_LONG), self, first, second);
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public boolean bool(Method method, MemorySegment first, Weights second) {
        try (Arena arena = Arena.ofConfined()) {
            return (boolean) Signature.BOOL_PTR_WEIGHTS.handle().invokeExact(
                function(method, Signature.BOOL_PTR_WEIGHTS), self, first, second.struct(arena));
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public Weights weights(Method method, MemorySegment first) {
        try (Arena arena = Arena.ofConfined()) {
            return Weights.read((MemorySegment) Signature.WEIGHTS_PTR.handle().invokeExact(
                function(method, Signature.WEIGHTS_PTR), (SegmentAllocator) arena, self, first));
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public Optional<Shape> shape(Method method) {
        try (Arena arena = Arena.ofConfined()) {
            return Dims.read((MemorySegment) Signature.GET_DIMS.handle().invokeExact(
                function(method, Signature.GET_DIMS), (SegmentAllocator) arena, self));
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public Optional<Shape> shape(Method method, MemorySegment first) {
        try (Arena arena = Arena.ofConfined()) {
            return Dims.read((MemorySegment) Signature.DIMS_PTR.handle().invokeExact(
                function(method, Signature.DIMS_PTR), (SegmentAllocator) arena, self, first));
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    public Optional<Shape> shape(Method method, MemorySegment first, int second, int third) {
        try (Arena arena = Arena.ofConfined()) {
            return Dims.read((MemorySegment) Signature.DIMS_PTR_INT_INT.handle().invokeExact(
                function(method, Signature.DIMS_PTR_INT_INT), (SegmentAllocator) arena, self, first, second, third));
        } catch (Throwable failure) {
            throw escaped(failure);
        }
    }

    /** Whether a returned pointer points nowhere: NULL, or a small number, which TensorRT may return too. */
    public static boolean isNothing(MemorySegment pointer) {
        return Long.compareUnsigned(pointer.address(), LOWEST_ADDRESS) < 0;
    }

    /** The text that a call returned, which TensorRT owns; empty if it returned none. */
    public static String text(MemorySegment pointer) {
        return isNothing(pointer) ? "" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private MemorySegment function(Method method, Signature signature) {
        if (method.type() != type || method.signature() != signature) {
            throw new IllegalArgumentException(method + " cannot be called so on " + type);
        }
        MemorySegment function = functions[method.ordinal()];
        if (function == null) {
            function = entry(table, method.slot(major));
            functions[method.ordinal()] = function;
        }
        return function;
    }

    private static MemorySegment table(MemorySegment object) {
        return object.reinterpret(POINTER).get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE);
    }

    private static MemorySegment entry(MemorySegment table, int slot) {
        return table.getAtIndex(ValueLayout.ADDRESS, slot);
    }

    /** Handles of native functions declare {@link Throwable}, and throw nothing that is checked. */
    public static RuntimeException escaped(Throwable failure) {
        return switch (failure) {
            case Error error -> throw error;
            case RuntimeException exception -> exception;
            default -> new IllegalStateException(failure);
        };
    }
}
