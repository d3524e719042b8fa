package dev.slipstream.bridge.tensorrt.abi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.tensorrt.abi.BindingClasses.CppMethod;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every slot, argument count and enumeration value that is used, against the class files of a public Java binding. For
 * TensorRT's own classes the two entries of the destructor come first; where the parser's lie is not in class files.
 */
class SlotProofTest {
    private static final int AFTER_DESTRUCTOR = 2;
    private static final List<String> PROVEN = new ArrayList<>();

    enum Binding {
        V10_6("10.6-1.5.11", 10), V10_15("10.15-1.5.13", 10), V11_2("11.2-1.5.14", 11);

        private final String version;
        private final int major;

        Binding(String version, int major) {
            this.version = version;
            this.major = major;
        }

        BindingClasses open() throws IOException {
            return new BindingClasses(Path.of(System.getProperty("bytedeco.folder"), "tensorrt-" + version + ".jar"));
        }
    }

    @AfterAll
    static void tell() {
        PROVEN.forEach(System.out::println);
    }

    @ParameterizedTest
    @EnumSource
    void everySlotIsTheOneOfTheHeader(Binding binding) throws IOException {
        int verified = 0;
        try (BindingClasses classes = binding.open()) {
            for (Method method : Method.values()) {
                List<CppMethod> methods = cppMethods(classes, method.type());
                int index = method.slot(binding.major) - (method.type().hasImplementation() ? AFTER_DESTRUCTOR : 0);
                CppMethod expected = new CppMethod(method.cppName(), method.signature().arity());
                assertTrue(index >= 0 && index < methods.size(), () -> method + " is past the end of " + methods);
                assertEquals(expected, methods.get(index), () -> method + " in " + binding.version);
                verified++;
            }
        }
        assertEquals(Method.values().length, verified);
        PROVEN.add("TensorRT " + binding.version + ": verified " + verified + " slots with their argument counts");
    }

    @ParameterizedTest
    @EnumSource
    void everyValueIsTheOneOfTheHeader(Binding binding) throws IOException {
        try (BindingClasses classes = binding.open()) {
            for (Constant constant : Constant.values()) {
                assertEquals(constant.value(binding.major),
                    classes.enumeration(constant.type()).get(constant.cppName()),
                    () -> constant + " in " + binding.version);
            }
        }
        PROVEN.add("TensorRT " + binding.version + ": verified " + Constant.values().length + " enumeration values");
    }

    @ParameterizedTest
    @EnumSource
    void whatTensorRtCallsBackIsDeclaredAsWeImplementIt(Binding binding) throws IOException {
        try (BindingClasses classes = binding.open()) {
            assertEquals("org/bytedeco/tensorrt/nvinfer/IVersionedInterface",
                classes.superclass("nvinfer.IProgressMonitor"));
            assertEquals(List.of("getAPILanguage", "getInterfaceInfo"),
                names(classes.methods("nvinfer.IVersionedInterface")));
            assertEquals(List.of("getInterfaceInfo", "phaseStart", "stepComplete", "phaseFinish"),
                names(classes.methods("nvinfer.IProgressMonitor")));
            boolean versioned = classes.superclass("nvinfer.ILogger").endsWith("IVersionedInterface");
            assertEquals(binding.major >= 11, versioned);
            assertEquals(versioned ? List.of("getInterfaceInfo", "log") : List.of("log"),
                names(classes.methods("nvinfer.ILogger")));
        }
    }

    @Test
    void noTwoMethodsShareASlot() {
        for (int major : new int[] {10, 11}) {
            long slots = Stream.of(Method.values()).map(method -> method.type() + ":" + method.slot(major)).distinct()
                .count();
            assertEquals(Method.values().length, slots);
        }
    }

    @Test
    void theParsersDestructorLiesBehindItsLastMethodThatIsUsed() {
        for (int major : new int[] {10, 11}) {
            assertEquals(Method.CLEAR_ERRORS.slot(major) + 2, CppClass.PARSER.deleteSlot(major));
        }
    }

    /** The parser's {@code parse} has a default argument, which Java shows as a second, shorter method between. */
    private static List<CppMethod> cppMethods(BindingClasses classes, CppClass type) throws IOException {
        List<CppMethod> all = classes.methods(type.binaryName());
        if (type != CppClass.PARSER) {
            return all;
        }
        List<CppMethod> methods = new ArrayList<>();
        for (CppMethod method : all) {
            if (methods.isEmpty() || !methods.getLast().name().equals(method.name())) {
                methods.add(method);
            }
        }
        return methods;
    }

    private static List<String> names(List<CppMethod> methods) {
        return methods.stream().map(CppMethod::name).distinct().collect(Collectors.toList());
    }
}
