package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code cpu:N} computes with N threads, which rest between runs, and each run gives the same bits. */
class CpuThreadsTest {
    private static final Path THREADS = Path.of("/proc/self/task");
    private static final EngineSource AFFINE = EngineSource.of("affine", TestModels.affine(1));

    @TempDir
    private Path folder;

    private static final String SPINNING = "AddSessionConfigEntry session.force_spinning_stop 1";
    private static final String SLEEPING = "AddSessionConfigEntry session.intra_op.allow_spinning 0";

    private static List<String> options(int threads, String waiting) {
        return List.of("SetSessionExecutionMode 0", "SetInterOpNumThreads 1", "SetIntraOpNumThreads " + threads,
            "SetSessionGraphOptimizationLevel 99", "EnableMemPattern", "SetDeterministicCompute true",
            "SetSessionLogSeverityLevel 4", waiting);
    }

    @Test
    void theOptionsOfASessionAreThoseOfItsDevice() {
        assertEquals(options(1, SPINNING), optionsOf(open(1), AFFINE));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 7})
    void aDeviceOfSeveralThreadsHasASessionForFreeAndOneForBusyCores(int threads) {
        // The Java interface begins each with this one.
        List<String> more = List.of("SetInterOpNumThreads 1");
        assertEquals(Stream.of(options(threads, SLEEPING), more, options(threads, SPINNING)).flatMap(List::stream)
            .toList(), optionsOf(open(threads), AFFINE));
    }

    @Test
    void whileCoresAreFreeThreadsSpinAndElseTheySleep() throws IOException {
        Path busy = Files.writeString(folder.resolve("schedstat"), "0 0 0\n");
        try (Device device = open(2); CpuEngine engine = (CpuEngine) device.build(AFFINE);
                Contention free = new Contention(folder.resolve("missing"), System::nanoTime);
                Contention taken = new Contention(busy, System::nanoTime)) {
            assertNotSame(engine.session(free), engine.session(taken));
            assertSame(engine.session(free), engine.session(free));
        }
        try (Device device = open(1); CpuEngine engine = (CpuEngine) device.build(AFFINE);
                Contention free = new Contention(folder.resolve("missing"), System::nanoTime);
                Contention taken = new Contention(busy, System::nanoTime)) {
            assertSame(engine.session(free), engine.session(taken));
        }
    }

    @Test
    void aContextThatEndsReadsNoMoreOfHowThreadsWait() throws IOException {
        assumeTrue(Files.isReadable(Path.of("/proc/thread-self/schedstat")), "this system does not count waiting");
        TensorType one = TensorType.of(DataType.FLOAT32, 1);
        long before = openCounters();
        try (Device device = open(2); Engine engine = device.build(AFFINE); Buffer x = device.allocate(one.bytes());
                Buffer y = device.allocate(one.bytes())) {
            try (ExecutionContext context = engine.newContext();
                    dev.slipstream.bridge.Stream stream = device.newStream("runs")) {
                stream.run(context.bind(Map.of("x", new Tensor(x.all(), one), "y", new Tensor(y.all(), one))));
                stream.synchronize();
                assertEquals(before + 1, openCounters());
            }
            assertEquals(before, openCounters());
        }
    }

    private static long openCounters() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(file -> {
                try {
                    return Files.readSymbolicLink(file).endsWith("schedstat");
                } catch (IOException closed) {
                    return false;
                }
            }).count();
        }
    }

    @ParameterizedTest
    @CsvSource({"1:spin=off,AddSessionConfigEntry session.force_spinning_stop 1",
        "2:spin=off,AddSessionConfigEntry session.intra_op.allow_spinning 0",
        "2:spin=on,AddSessionConfigEntry session.force_spinning_stop 1"})
    void whoSaysHowThreadsWaitHasOneSession(String selector, String waiting) {
        CpuShare share = CpuShare.parse(selector).orElseThrow();
        assertEquals(options(share.threads(), waiting), optionsOf(open(share), AFFINE));
    }

    /** The helper thread of ONNX Runtime, and the stream's; the one that builds is not bound. */
    @Test
    void theThreadsOfADeviceKeepToItsCores() throws Exception {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "this system does not bind threads to cores");
        FutureTask<Void> build = new FutureTask<>(() -> {
            try (Device device = open(CpuShare.parse("2:spin=off:cores=0").orElseThrow());
                    Engine _ = device.build(AFFINE);
                    dev.slipstream.bridge.Stream stream = device.newStream("binds engine");
                    Buffer buffer = device.allocate(4)) {
                stream.upload(MemorySegment.ofArray(new int[1]), buffer.all());
                stream.synchronize();
                assertEquals(2, settled(2, "binds engine", thread -> Files.readAllLines(thread.resolve("status"))
                    .stream().anyMatch(line -> line.matches("Cpus_allowed_list:\\s+0"))));
            }
            return null;
        });
        Thread.ofPlatform().name("binds engine").start(build);
        build.get();
    }

    @Test
    void aDeviceHasTheThreadsOfItsSelectorAndWithoutOneASingleOne() {
        int cores = Runtime.getRuntime().availableProcessors();
        for (int threads = 1; threads <= cores; threads++) {
            assertTrue(optionsOf(new CpuProvider().open(new DeviceSpec("cpu", Integer.toString(threads))), AFFINE)
                .contains("SetIntraOpNumThreads " + threads));
        }
        assertTrue(optionsOf(new CpuProvider().open(DeviceSpec.parse("cpu")), AFFINE)
            .contains("SetIntraOpNumThreads 1"));
    }

    @Test
    void dimensionsAndTheFolderOfWeightsAreOptionsToo() throws IOException {
        List<String> options = optionsOf(open(1), new EngineSource("external",
            EngineSource.of("external", TestModels.addExternal(folder, 1, 2)).onnx(), Optional.of(folder),
            Map.of("n", 5L)));
        assertEquals(List.of("AddFreeDimensionOverrideByName n 5", "AddSessionConfigEntry "
            + "session.model_external_initializers_file_folder_path " + folder.toAbsolutePath()),
            options.subList(options.size() - 2, options.size()));
    }

    /**
     * ONNX Runtime's helper threads are named after the thread that made the session, as the system gives a thread its
     * parent's name. The stream's own thread is the last of the N.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void aSessionHasOneHelperThreadLessThanItsDeviceHasThreads(int threads) throws Exception {
        assumeTrue(Files.isDirectory(THREADS), "this system does not list the threads of a process");
        FutureTask<Void> build = new FutureTask<>(() -> {
            try (Device device = open(new CpuShare(threads, CpuShare.Spin.OFF, new BitSet()));
                    Engine engine = device.build(AFFINE)) {
                assertEquals(threads, settled(threads, "builds engine", thread -> true),
                    "helper threads of " + engine + " and this one");
            }
            return null;
        });
        Thread.ofPlatform().name("builds engine").start(build);
        build.get();
    }

    private static List<String> optionsOf(Device made, EngineSource source) {
        try (CountingOrtApi natives = CountingOrtApi.open(); Device device = made;
                Engine engine = device.build(source)) {
            List<String> options = natives.options();
            engine.close();
            assertEquals(0, natives.live(CountingOrtApi.Kind.SESSION));
            return options.subList(options.indexOf("SetSessionExecutionMode 0"), options.size());
        }
    }

    /** The provider's own limit is the number of cores, which tests cannot choose. */
    private static Device open(int threads) {
        return open(CpuShare.of(threads));
    }

    private static Device open(CpuShare share) {
        return new CpuDevice("cpu:0", share, "test", KeptEngines.ofUser(), () -> { });
    }

    /** A question to a thread's folder. */
    private interface Question {
        boolean of(Path thread) throws IOException;
    }

    /**
     * How many threads of a name there are, once they are as many as expected, or after some seconds: any thread that
     * another one has started has its name until it takes its own.
     */
    private static long settled(long expected, String name, Question question) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (threads(name, question) > expected && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        return threads(name, question);
    }

    private static long threads(String name, Question question) {
        try (Stream<Path> threads = Files.list(THREADS)) {
            return threads.filter(thread -> {
                try {
                    return Files.readString(thread.resolve("comm")).strip().equals(name) && question.of(thread);
                } catch (IOException ended) {
                    return false;
                }
            }).count();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
