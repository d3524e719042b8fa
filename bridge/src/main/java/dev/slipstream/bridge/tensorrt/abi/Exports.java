package dev.slipstream.bridge.tensorrt.abi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.stream.Stream;

/** The few C functions that TensorRT's libraries export. */
public final class Exports {
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

    /** A version of TensorRT, like {@code 10.15.1.29}. Engines load only where all four numbers are the same. */
    public record Version(int major, int minor, int patch, int build) {
        /** @param encoded of {@code getInferLibVersion}: 10.15.1 is 101501; before version 10, 8.6.1 is 8601 */
        public static Version of(int encoded, int build) {
            if (encoded < 10_000) {
                return new Version(encoded / 1000, encoded / 100 % 10, encoded % 100, build);
            }
            return new Version(encoded / 10_000, encoded / 100 % 100, encoded % 100, build);
        }

        /** Whether the slots of this version are known. 10.0 lacks some that came with 10.1. */
        public boolean isKnown() {
            return major == 11 || major == 10 && minor >= 1;
        }

        @Override
        public String toString() {
            return major + "." + minor + "." + patch + "." + build;
        }
    }

    private final SymbolLookup libraries;

    public Exports(SymbolLookup libraries) {
        this.libraries = libraries;
    }

    /** To be asked first: what the other functions return can be used only in known versions. */
    public Version version() {
        return Version.of(number(VERSION), number(BUILD_VERSION));
    }

    public boolean areTensorRts() {
        return Stream.of(VERSION, BUILD_VERSION, RUNTIME, BUILDER).allMatch(name -> libraries.find(name).isPresent());
    }

    public boolean hasParser() {
        return libraries.find(PARSER).isPresent();
    }

    public MemorySegment createRuntime(MemorySegment log) {
        return create(RUNTIME, log);
    }

    public MemorySegment createBuilder(MemorySegment log) {
        return create(BUILDER, log);
    }

    public MemorySegment createParser(MemorySegment network, MemorySegment log) {
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
