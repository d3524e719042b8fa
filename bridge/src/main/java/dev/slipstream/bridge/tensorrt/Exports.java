package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The few C functions that TensorRT's libraries export. */
final class Exports {
    private static final FunctionDescriptor NUMBER = FunctionDescriptor.of(ValueLayout.JAVA_INT);
    private static final FunctionDescriptor CREATE = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS,
        ValueLayout.JAVA_INT);
    private static final FunctionDescriptor CREATE_PARSER = FunctionDescriptor.of(ValueLayout.ADDRESS,
        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);

    private final SymbolLookup libraries;

    Exports(SymbolLookup libraries) {
        this.libraries = libraries;
    }

    /** To be asked first: what the other functions return can be used only in known versions. */
    TensorRtVersion version() {
        return TensorRtVersion.of(number("getInferLibVersion"), number("getInferLibBuildVersion"));
    }

    boolean hasParser() {
        return libraries.find("createNvOnnxParser_INTERNAL").isPresent();
    }

    MemorySegment createRuntime(MemorySegment log) {
        return create("createInferRuntime_INTERNAL", log);
    }

    MemorySegment createBuilder(MemorySegment log) {
        return create("createInferBuilder_INTERNAL", log);
    }

    MemorySegment createParser(MemorySegment network, MemorySegment log) {
        MethodHandle function = function("createNvOnnxParser_INTERNAL", CREATE_PARSER);
        int version = number("getNvOnnxParserVersion");
        try {
            return (MemorySegment) function.invokeExact(network, log, version);
        } catch (Throwable failure) {
            throw CppObject.escaped(failure);
        }
    }

    private MemorySegment create(String name, MemorySegment log) {
        MethodHandle function = function(name, CREATE);
        int version = number("getInferLibVersion");
        try {
            return (MemorySegment) function.invokeExact(log, version);
        } catch (Throwable failure) {
            throw CppObject.escaped(failure);
        }
    }

    private int number(String name) {
        MethodHandle function = function(name, NUMBER);
        try {
            return (int) function.invokeExact();
        } catch (Throwable failure) {
            throw CppObject.escaped(failure);
        }
    }

    private MethodHandle function(String name, FunctionDescriptor descriptor) {
        Optional<MemorySegment> address = libraries.find(name);
        return Linker.nativeLinker().downcallHandle(address.orElseThrow(
            () -> new IllegalArgumentException("there is no function " + name)), descriptor);
    }
}
