package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.contract.TestModels;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes that end while threads are in ONNX Runtime: with the code they ask for, and never by an abort. */
@Timeout(120)
class ProcessExitTest {
    private static final int CODE = 7;

    /** Two threads build engines without end, and the first that has built one ends the process. */
    static final class Builders {
        public static void main(String[] args) {
            Device device = new CpuProvider().open(DeviceSpec.parse("cpu:1"));
            CountDownLatch begun = new CountDownLatch(2);
            for (int thread = 0; thread < 2; thread++) {
                Thread.ofPlatform().start(() -> {
                    while (true) {
                        device.build(EngineSource.of("affine", TestModels.affine("n"))).close();
                        begun.countDown();
                    }
                });
            }
            try {
                begun.await();
            } catch (InterruptedException impossible) {
                throw new AssertionError(impossible);
            }
            System.exit(CODE);
        }
    }

    /** Does not build anything; others' handlers run as ever. */
    static final class Idle {
        public static void main(String[] args) {
            new CpuProvider().open(DeviceSpec.parse("cpu:1")).close();
            System.exit(CODE);
        }
    }

    /** Ends while a device is open, or not, in a process whose C library would abort it after that. */
    static final class Aborting {
        public static void main(String[] args) throws Throwable {
            SymbolLookup library = Linker.nativeLinker().defaultLookup();
            int failed = (int) Linker.nativeLinker().downcallHandle(library.find("on_exit").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                .invokeExact(library.find("abort").orElseThrow(), MemorySegment.NULL);
            if (failed != 0) {
                throw new AssertionError("on_exit failed");
            }
            Device device = new CpuProvider().open(DeviceSpec.parse("cpu:1"));
            if (args[0].equals("closed")) {
                device.close();
            }
            System.exit(CODE);
        }
    }

    private static int codeOfAborting(String device) throws IOException, InterruptedException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash", "-cp",
            System.getProperty("java.class.path"), Aborting.class.getName(), device).start().waitFor();
    }

    /** As ONNX Runtime's destructors would run into work that goes on; without a device nothing is to be feared. */
    @Test
    void whatTheCLibraryDoesLastIsLeftOutOnlyWhileADeviceIsOpen() throws IOException, InterruptedException {
        assumeTrue(Linker.nativeLinker().defaultLookup().find("on_exit").isPresent(), "the C library has no on_exit");
        assertEquals(CODE, codeOfAborting("open"));
        assertEquals(128 + 6, codeOfAborting("closed"));
    }

    private static void endsWithItsCode(Class<?> main) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash", "-cp",
            System.getProperty("java.class.path"), main.getName()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(CODE, process.waitFor(), said);
        assertEquals("", said);
    }

    @Test
    void aProcessMayEndWhileEnginesAreBuilt() throws IOException, InterruptedException {
        endsWithItsCode(Builders.class);
    }

    @Test
    void aProcessMayEndAfterItsDevices() throws IOException, InterruptedException {
        endsWithItsCode(Idle.class);
    }

    @RepeatedTest(30)
    @Tag("slow")
    void howeverOftenItIsTried() throws IOException, InterruptedException {
        endsWithItsCode(Builders.class);
    }
}
