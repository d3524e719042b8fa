package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.store.EngineStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Engines that come from a store compute as those that were just built, and share what they can. */
@ExtendWith(NothingNativeIsLeft.class)
class KeptEnginesTest {
    private static final int SIZE = 96;
    private static final Path MAPS = Path.of("/proc/self/smaps");

    @TempDir
    private Path folder;
    private KeptEngines kept;
    private CpuDevice one;
    private CpuDevice two;
    private CpuDevice threads;
    private int widened;

    @BeforeEach
    void open() {
        kept = new KeptEngines(new EngineStore(folder.resolve("store"), 1 << 30), 1);
        one = new CpuDevice("cpu:0", CpuShare.of(1), "test", kept, () -> { });
        two = new CpuDevice("cpu:1", CpuShare.of(1), "test", kept, () -> { });
        threads = new CpuDevice("cpu:2", CpuShare.of(2), "test", kept, () -> { });
    }

    @AfterEach
    void close() {
        List.of(one, two, threads).forEach(CpuDevice::close);
    }

    private EngineSource halves() throws IOException {
        return new EngineSource("product", ByteBuffer.wrap(TestModels.product(folder, SIZE, true)),
            Optional.of(folder), Map.of()).withWide(into -> {
                widened++;
                try {
                    return new EngineSource("product", ByteBuffer.wrap(TestModels.product(into, SIZE, false)),
                        Optional.of(into), Map.of());
                } catch (IOException failed) {
                    throw new UncheckedIOException(failed);
                }
            });
    }

    /** Random numbers times the weights. */
    private static float[] run(Engine engine) {
        float[] x = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            x[i] = (float) Math.sin(i);
        }
        TensorType type = TensorType.of(DataType.FLOAT32, 1, SIZE);
        try (Buffer in = engine.device().allocate(type.bytes()); Buffer out = engine.device().allocate(type.bytes());
                ExecutionContext context = engine.newContext(); Stream stream = engine.device().newStream("run")) {
            stream.upload(MemorySegment.ofArray(x), in.all());
            stream.run(context.bind(Map.of("x", new Tensor(in.all(), type), "y", new Tensor(out.all(), type))));
            stream.download(out.all(), MemorySegment.ofArray(x));
            stream.synchronize();
        }
        return x;
    }

    private float[] unkept() throws IOException {
        KeptEngines none = new KeptEngines(kept.store(), Long.MAX_VALUE);
        CpuDevice device = new CpuDevice("cpu:3", CpuShare.of(1), "test", none, () -> { });
        try (device; Engine engine = device.build(halves())) {
            return run(engine);
        }
    }

    @Test
    void theBitsAreThoseOfAnEngineThatIsNotKept() throws IOException {
        float[] expected = unkept();
        assertFalse(Files.exists(kept.store().folder()));
        for (int start = 0; start < 2; start++) {
            try (Engine engine = one.build(halves())) {
                assertArrayEquals(expected, run(engine));
                engine.rest();
                assertArrayEquals(expected, run(engine));
            }
        }
        assertEquals(1, widened);
        assertEquals(1, kept.store().list().size());
    }

    @Test
    void anEngineThatRestsLetsGoOfItsWeightsAndRunsWithoutKeepingWorkSpace(CountingOrtApi natives) throws IOException {
        float[] expected = unkept();
        try (Engine engine = one.build(halves())) {
            assertArrayEquals(expected, run(engine));
            assertEquals(0, natives.runsWithOptions());
            assertTrue(residentBytes() > 0 || !Files.isReadable(MAPS), "weights are not mapped");
            engine.rest();
            engine.rest();
            assertEquals(0, residentBytes());
            assertEquals(1, natives.live(CountingOrtApi.Kind.RUN_OPTIONS));
            assertArrayEquals(expected, run(engine));
            assertEquals(1, natives.runsWithOptions());
        }
    }

    @Test
    void anEngineThatMapsNothingHasNothingToLetGo(CountingOrtApi natives) {
        try (Engine engine = one.build(EngineSource.of("affine", TestModels.affine(1)))) {
            engine.rest();
            assertEquals(0, natives.live(CountingOrtApi.Kind.RUN_OPTIONS));
        }
    }

    /** Of the weights that are mapped; 0 where the system does not tell. */
    private static long residentBytes() throws IOException {
        if (!Files.isReadable(MAPS)) {
            return 0;
        }
        long kilobytes = 0;
        boolean ours = false;
        for (String line : Files.readAllLines(MAPS)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                ours = line.endsWith(".weights");
            } else if (ours && line.startsWith("Rss:")) {
                kilobytes += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return kilobytes << 10;
    }

    @Test
    void whatIsKeptIsOptimisedAndPackedOnceAndForAll(CountingOrtApi natives) throws IOException {
        one.build(halves()).close();
        List<String> first = natives.options();
        assertTrue(first.contains("AddSessionConfigEntry session.save_external_prepacked_constant_initializers 1"),
            first::toString);
        assertEquals(1, first.stream().filter(option -> option.startsWith("SetOptimizedModelFilePath")).count());
        one.build(halves()).close();
        List<String> second = natives.options().subList(first.size(), natives.options().size());
        assertTrue(second.containsAll(List.of("SetSessionGraphOptimizationLevel 0", "DisableMemPattern")),
            second::toString);
        assertFalse(second.toString().contains("SetOptimizedModelFilePath"), second::toString);
    }

    @Test
    void anEngineIsKeptFromTheSizeOnThatIsWorthIt() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        EngineSource source = new EngineSource("product", ByteBuffer.wrap(TestModels.product(model, SIZE, false)),
            Optional.of(model), Map.of());
        long bytes = Files.size(model.resolve("product.bin"));
        for (long worth : new long[] {bytes + 1, bytes}) {
            KeptEngines some = new KeptEngines(kept.store(), worth);
            CpuDevice device = new CpuDevice("cpu:3", CpuShare.of(1), "test", some, () -> { });
            try (device; Engine _ = device.build(source)) {
                assertEquals(worth == bytes ? 1 : 0, kept.store().list().size());
            }
        }
    }

    @Test
    void halvesNeedMoreRoomThanTheyTakeTwice() throws IOException {
        EngineSource halves = halves();
        long bytes = Files.size(folder.resolve("product.bin"));
        KeptEngines.requireRoom(halves, folder, 5 * bytes);
        String message = assertThrows(IOException.class,
            () -> KeptEngines.requireRoom(halves, folder, 5 * bytes - 1)).getMessage();
        assertEquals("up to " + 5 * bytes + " bytes are needed in " + folder + ", and " + (5 * bytes - 1)
            + " are free", message);
        EngineSource plain = new EngineSource("product", halves.onnx(), halves.weightFolder(), Map.of());
        KeptEngines.requireRoom(plain, folder, 2 * bytes);
        assertThrows(IOException.class, () -> KeptEngines.requireRoom(plain, folder, 2 * bytes - 1));
    }

    /** A second attempt, as another process may just have deleted the weights; then it is built without the store. */
    @Test
    void whatIsRefusedTwiceAmongTheKeptIsGivenUp() throws IOException, OrtException {
        List<String> opened = new ArrayList<>();
        KeptEngines.Opening refusing = new KeptEngines.Opening() {
            @Override
            public SessionOptions options(EngineSource source) {
                return new SessionOptions();
            }

            @Override
            public OrtSession open(EngineSource source, SessionOptions options) throws OrtException {
                boolean fresh = !source.weightFolder().orElseThrow().equals(kept.store().folder());
                opened.add(fresh ? "fresh" : "kept");
                if (!fresh) {
                    throw new OrtException("not today");
                }
                byte[] graph = new byte[source.onnx().remaining()];
                source.onnx().duplicate().get(graph);
                options.addConfigEntry("session.model_external_initializers_file_folder_path",
                    source.weightFolder().get().toString());
                return OnnxRuntime.environment().createSession(graph, options);
            }
        };
        assertTrue(kept.open(halves(), true, refusing).isEmpty());
        assertEquals(List.of("fresh", "kept", "fresh", "kept"), opened);
        assertEquals(List.of(), kept.store().list());
    }

    @Test
    void devicesOfOneThreadHaveOneSessionUntilTheLastEngineIsClosed() throws IOException {
        CpuEngine first = (CpuEngine) one.build(halves());
        CpuEngine second = (CpuEngine) two.build(halves());
        assertSame(first.session(new Contention()), second.session(new Contention()));
        first.close();
        assertArrayEquals(unkept(), run(second));
        second.close();
        try (CpuEngine third = (CpuEngine) one.build(halves())) {
            assertNotSame(second.session(new Contention()), third.session(new Contention()));
        }
    }

    @Test
    void theyRunItAtTheSameTime() throws Exception {
        float[] expected = unkept();
        try (Engine first = one.build(halves()); Engine second = two.build(halves())) {
            FutureTask<Void> other = new FutureTask<>(() -> {
                for (int i = 0; i < 50; i++) {
                    assertArrayEquals(expected, run(second));
                }
                return null;
            });
            Thread.ofPlatform().start(other);
            for (int i = 0; i < 50; i++) {
                assertArrayEquals(expected, run(first));
            }
            other.get();
        }
    }

    @Test
    void aDeviceOfMoreThreadsHasASessionOfItsOwnFromTheSameFiles() throws IOException {
        try (CpuEngine first = (CpuEngine) one.build(halves()); CpuEngine other = (CpuEngine) threads.build(halves())) {
            assertNotSame(first.session(new Contention()), other.session(new Contention()));
            assertArrayEquals(run(first), run(other));
        }
        assertEquals(1, widened);
    }

    @Test
    void otherWeightsAreAnotherEngine() throws IOException {
        one.build(halves()).close();
        byte[] weights = Files.readAllBytes(folder.resolve("product.bin"));
        EngineSource source = halves();
        weights[1] ^= 0x40;
        Files.write(folder.resolve("product.bin"), weights);
        one.build(source).close();
        assertEquals(2, kept.store().list().size());
    }

    @Test
    void whatIsDamagedAmongTheKeptIsBuiltAgain() throws IOException {
        float[] expected = unkept();
        one.build(halves()).close();
        Path weights = kept.store().folder().resolve(kept.store().list().getFirst().id() + ".weights");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 1;
        Files.write(weights, bytes);
        try (Engine engine = one.build(halves())) {
            assertArrayEquals(expected, run(engine));
        }
        assertEquals(2, widened);
    }

    @Test
    void whereNothingCanBeKeptEnginesAreBuiltEachTime() throws IOException {
        Files.writeString(kept.store().folder(), "a file where the folder should be");
        try (Engine engine = one.build(halves())) {
            assertArrayEquals(unkept(), run(engine));
        }
        assertEquals(0, widened);
    }

    @Test
    void aGraphThatCannotBeBuiltIsRefusedAsEver() throws IOException {
        byte[] weights = Files.readAllBytes(Files.write(folder.resolve("product.bin"), new byte[8]));
        EngineSource source = halves();
        Files.write(folder.resolve("product.bin"), weights);
        EngineSource damaged = new EngineSource("product", source.onnx(), source.weightFolder(), Map.of());
        String message = assertThrows(EngineBuildException.class, () -> one.build(damaged)).getMessage();
        assertTrue(message.startsWith("cpu:0: engine product cannot be built: "), message);
        assertEquals(List.of(), kept.store().list());
    }
}
