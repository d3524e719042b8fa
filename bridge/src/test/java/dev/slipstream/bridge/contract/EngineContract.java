package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Engines: building them, and running them on streams. */
public interface EngineContract {
    DeviceFixture fixture();

    @Test
    default void anEngineDescribesItsTensorsInTheGraphsOrder() {
        Engine engine = fixture().engine("both", TestModels.sumAndDifference("batch", 3));
        assertEquals("both", engine.name());
        assertSame(fixture().device(), engine.device());
        assertEquals(List.of("b", "a"), List.copyOf(engine.inputs().keySet()));
        assertEquals(List.of("sum", "difference"), List.copyOf(engine.outputs().keySet()));
        assertEquals(TensorType.of(DataType.FLOAT32, Shape.UNKNOWN, 3), engine.inputs().get("a"));
        assertEquals(TensorType.of(DataType.FLOAT32, Shape.UNKNOWN, 3), engine.outputs().get("sum"));
    }

    @Test
    default void anEngineReadsAndWritesTheBoundBytesInPlace() {
        Buffer buffer = fixture().floats(0, 1, 2, 3, 0, 0, 0, 0);
        Engine engine = fixture().engine("affine", TestModels.affine(2));
        ExecutionContext context = fixture().context(engine);
        TensorType type = TensorType.of(DataType.FLOAT32, 2);
        Bindings bindings = context.bind(Map.of(
            "x", new Tensor(buffer.slice(8, 8), type), "y", new Tensor(buffer.slice(20, 8), type)));
        assertSame(context, bindings.context());
        assertSame(engine, context.engine());
        Stream stream = fixture().stream();
        stream.run(bindings);
        stream.upload(fixture().host(10, 20), buffer.slice(8, 8));
        stream.synchronize();
        assertArrayEquals(new float[] {0, 1, 10, 20, 0, 5, 7, 0}, fixture().read(buffer));
        stream.run(bindings);
        stream.synchronize();
        assertArrayEquals(new float[] {0, 1, 10, 20, 0, 21, 41, 0}, fixture().read(buffer));
    }

    @Test
    default void oneContextKeepsManyBindings() {
        ExecutionContext context = fixture().context(fixture().engine("affine", TestModels.affine("n")));
        Buffer a = fixture().floats(1, 2, 3);
        Buffer b = fixture().buffer(fixture().device(), 12);
        Bindings there = context.bind(Map.of(
            "x", tensor(a, DataType.FLOAT32, 3), "y", tensor(b, DataType.FLOAT32, 3)));
        Bindings back = context.bind(Map.of(
            "x", tensor(b, DataType.FLOAT32, 3), "y", tensor(a, DataType.FLOAT32, 3)));
        Stream stream = fixture().stream();
        stream.run(there);
        stream.run(back);
        stream.synchronize();
        assertArrayEquals(new float[] {7, 11, 15}, fixture().read(a));
    }

    @Test
    default void twoContextsOfOneEngineRunAtOnce() {
        int size = 64;
        Engine engine = fixture().engine("slow", TestModels.slow(size, 20));
        float[] identity = new float[size * size];
        for (int i = 0; i < size; i++) {
            identity[i * (size + 1)] = 1;
        }
        Buffer[] results = new Buffer[2];
        for (int i = 0; i < 2; i++) {
            results[i] = fixture().buffer(fixture().device(), size * size * 4);
            Bindings bindings = fixture().context(engine).bind(Map.of(
                "x", tensor(fixture().floats(identity), DataType.FLOAT32, size, size),
                "y", tensor(results[i], DataType.FLOAT32, size, size)));
            Stream stream = fixture().stream();
            for (int run = 0; run < 20; run++) {
                stream.run(bindings);
            }
        }
        fixture().synchronizeAll();
        assertArrayEquals(identity, fixture().read(results[0]));
        assertArrayEquals(identity, fixture().read(results[1]));
    }

    @Test
    default void namedDimensionsGetTheirValues() {
        Engine engine = fixture().engine(new EngineSource("fixed", ByteBuffer.wrap(TestModels.affine("batch", "width")),
            Optional.empty(), Map.of("batch", 2L)));
        assertEquals(TensorType.of(DataType.FLOAT32, 2, Shape.UNKNOWN), engine.inputs().get("x"));
    }

    @ParameterizedTest
    @CsvSource({"FLOAT, FLOAT32", "FLOAT16, FLOAT16", "BFLOAT16, BFLOAT16", "INT64, INT64", "INT32, INT32",
        "BOOL, BOOL"})
    default void everyElementTypeIsCarried(TensorProto.DataType onnx, DataType type) {
        int elements = 5;
        byte[] sent = new byte[elements * type.bytes()];
        Arrays.fill(sent, (byte) 1);
        Engine engine = fixture().engine("identity", TestModels.identity(onnx, elements));
        assertEquals(TensorType.of(type, elements), engine.inputs().get("x"));
        Buffer x = fixture().buffer(fixture().device(), sent.length);
        Buffer y = fixture().buffer(fixture().device(), sent.length);
        Bindings bindings = fixture().context(engine).bind(
            Map.of("x", tensor(x, type, elements), "y", tensor(y, type, elements)));
        byte[] received = new byte[sent.length];
        Stream stream = fixture().stream();
        stream.upload(MemorySegment.ofArray(sent), x.all());
        stream.run(bindings);
        stream.download(y.all(), MemorySegment.ofArray(received));
        stream.synchronize();
        assertArrayEquals(sent, received);
    }

    @Test
    default void scalarsAreTensorsToo() {
        Buffer x = fixture().floats(3);
        Buffer y = fixture().floats(0);
        Stream stream = fixture().stream();
        stream.run(fixture().context(fixture().engine("affine", TestModels.affine()))
            .bind(Map.of("x", tensor(x, DataType.FLOAT32), "y", tensor(y, DataType.FLOAT32))));
        stream.synchronize();
        assertArrayEquals(new float[] {7}, fixture().read(y));
    }

    @Test
    default void weightsMayLieInAFolderBesideTheGraph(@TempDir Path folder) throws IOException {
        EngineSource source = new EngineSource("external",
            ByteBuffer.wrap(TestModels.addExternal(folder, 10, 20)), Optional.of(folder), Map.of());
        Buffer x = fixture().floats(1, 2);
        Buffer y = fixture().floats(0, 0);
        Stream stream = fixture().stream();
        stream.run(fixture().context(fixture().engine(source)).bind(
            Map.of("x", tensor(x, DataType.FLOAT32, 2), "y", tensor(y, DataType.FLOAT32, 2))));
        stream.synchronize();
        assertArrayEquals(new float[] {11, 22}, fixture().read(y));
    }

    @Test
    default void aGraphInDirectMemoryIsReadFromItsPosition() {
        byte[] onnx = TestModels.affine(1);
        ByteBuffer direct = ByteBuffer.allocateDirect(onnx.length + 7);
        direct.position(7).put(onnx).position(7);
        Engine engine = fixture().engine(new EngineSource("direct", direct, Optional.empty(), Map.of()));
        assertEquals(List.of("x"), List.copyOf(engine.inputs().keySet()));
    }

    @Test
    default void aRunOnAStreamOfAnotherDeviceIsRefused() {
        Bindings bindings = fixture().context(fixture().engine("affine", TestModels.affine(1))).bind(Map.of(
            "x", tensor(fixture().floats(1), DataType.FLOAT32, 1),
            "y", tensor(fixture().floats(1), DataType.FLOAT32, 1)));
        Stream stream = fixture().stream(fixture().other());
        String message = assertThrows(IllegalArgumentException.class, () -> stream.run(bindings)).getMessage();
        assertTrue(message.contains("affine"), message);
    }
}
