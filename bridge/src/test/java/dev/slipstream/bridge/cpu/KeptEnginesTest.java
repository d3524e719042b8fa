package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
