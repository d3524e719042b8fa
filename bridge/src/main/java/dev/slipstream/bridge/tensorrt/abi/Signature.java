package dev.slipstream.bridge.tensorrt.abi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.stream.Stream;

/**
 * What crosses in a call: one constant for each combination, named for the result and the arguments after {@code this}.
 * Each has one handle, which takes the function's address first.
 *
 * <p>The handles are of the ordinary kind: TensorRT logs during calls, and {@code Linker.Option.critical} forbids
 * calls back into Java.
 */
record Signature(FunctionDescriptor descriptor, MethodHandle handle) {
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
    private static final MemoryLayout INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout BOOL = ValueLayout.JAVA_BOOLEAN;

    static final Signature VOID = withoutResult();
    static final Signature VOID_INT = withoutResult(INT);
    static final Signature VOID_INT_LONG = withoutResult(INT, LONG);
    static final Signature VOID_PTR = withoutResult(POINTER);
    static final Signature GET_BOOL = of(BOOL);
    static final Signature BOOL_PTR = of(BOOL, POINTER);
    static final Signature BOOL_PTR_BOOL = of(BOOL, POINTER, BOOL);
    static final Signature BOOL_PTR_PTR = of(BOOL, POINTER, POINTER);
    static final Signature BOOL_PTR_INT_PTR = of(BOOL, POINTER, INT, POINTER);
    static final Signature BOOL_PTR_LONG_PTR = of(BOOL, POINTER, LONG, POINTER);
    static final Signature BOOL_PTR_WEIGHTS = of(BOOL, POINTER, Weights.LAYOUT);
    static final Signature GET_INT = of(INT);
    static final Signature INT_PTR = of(INT, POINTER);
    static final Signature INT_INT_PTR = of(INT, INT, POINTER);
    static final Signature GET_LONG = of(LONG);
    static final Signature GET_PTR = of(POINTER);
    static final Signature PTR_INT = of(POINTER, INT);
    static final Signature PTR_PTR = of(POINTER, POINTER);
    static final Signature PTR_PTR_PTR = of(POINTER, POINTER, POINTER);
    static final Signature PTR_PTR_LONG = of(POINTER, POINTER, LONG);
    static final Signature GET_DIMS = of(Dims.LAYOUT);
    static final Signature DIMS_PTR = of(Dims.LAYOUT, POINTER);
    static final Signature DIMS_PTR_INT_INT = of(Dims.LAYOUT, POINTER, INT, INT);
    static final Signature WEIGHTS_PTR = of(Weights.LAYOUT, POINTER);

    private static Signature of(MemoryLayout result, MemoryLayout... arguments) {
        return linked(FunctionDescriptor.of(result, afterThis(arguments)));
    }

    private static Signature withoutResult(MemoryLayout... arguments) {
        return linked(FunctionDescriptor.ofVoid(afterThis(arguments)));
    }

    private static MemoryLayout[] afterThis(MemoryLayout... arguments) {
        return Stream.concat(Stream.of(POINTER), Stream.of(arguments)).toArray(MemoryLayout[]::new);
    }

    private static Signature linked(FunctionDescriptor descriptor) {
        return new Signature(descriptor, Linker.nativeLinker().downcallHandle(descriptor));
    }

    /** How many arguments the C++ method is written with. */
    int arity() {
        return descriptor.argumentLayouts().size() - 1;
    }
}
