package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.stream.Stream;

/** The few C functions that TensorRT's libraries export. */
final class Exports {
    private static final FunctionDescriptor NUMBER = FunctionDescriptor.of(ValueLayout.JAVA_INT);
    private static final FunctionDescriptor CREATE = FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS,
        ValueLayout.JAVA_INT);
    private static final FunctionDescriptor CREATE_PARSER = FunctionDescriptor.of(ValueLayout.ADDRESS,
        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);

    private static final String VERSION = "getInferLibVersion";
    private static final String BUILD_VERSION = "getInferLibBuildVersion";
    private static final String RUNTIME = "createInferRuntime_INTERNAL";
    private static final String BUILDER = "createInferBuilder_INTERNAL";
    private static final String PARSER = "createNvOnnxParser_INTERNAL";

    private final SymbolLookup libraries;

    Exports(SymbolLookup libraries) {
        this.libraries = libraries;
    }

    /** To be asked first: what the other functions return can be used only in known versions. */
    TensorRtVersion version() {
        return TensorRtVersion.of(number(VERSION), number(BUILD_VERSION));
    }

    boolean areTensorRts() {
        return Stream.of(VERSION, BUILD_VERSION, RUNTIME, BUILDER).allMatch(name -> libraries.find(name).isPresent());
    }

    boolean hasParser() {
        return libraries.find(PARSER).isPresent();
    }

    MemorySegment createRuntime(MemorySegment log) {
        return create(RUNTIME, log);
    }

    MemorySegment createBuilder(MemorySegment log) {
        return create(BUILDER, log);
    }

    MemorySegment createParser(MemorySegment network, MemorySegment log) {
        MethodHandle function = function(PARSER, CREATE_PARSER);
        int version = number("getNvOnnxParserVersion");
        try {
            return (MemorySegment) function.invokeExact(network, log, version);
        } catch (Throwable failure) {
            throw CppObject.escaped(failure);
        }
    }

    private MemorySegment create(String name, MemorySegment log) {
        MethodHandle function = function(name, CREATE);
        int version = number(VERSION);
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
