package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Opening, closing, and using what is closed. */
public interface LifecycleContract {
    DeviceFixture fixture();

    @Test
    default void devicesHaveDifferentNamesAndDescribeThemselves() {
        assertNotEquals(fixture().device().name(), fixture().other().name());
        assertTrue(fixture().device().name().matches("[a-z]+:\\d+(/\\d+)?"), fixture().device().name());
        assertFalse(fixture().device().description().isBlank());
        assertFalse(fixture().device().description().contains("\n"));
    }

    @Test
    default void everythingKnowsItsDevice() {
        assertSame(fixture().device(), fixture().buffer(fixture().device(), 1).device());
        assertSame(fixture().other(), fixture().stream(fixture().other()).device());
    }

    @Test
    default void liveObjectsCountsWhatIsOpen() {
        Device device = fixture().device();
        int before = device.liveObjects();
        Buffer buffer = device.allocate(1);
        Stream stream = device.newStream("counted");
        Event event = device.newEvent();
        Event timed = device.newTimedEvent();
        Engine engine = device.build(EngineSource.of("affine", TestModels.affine(1)));
        ExecutionContext context = engine.newContext();
        assertEquals(before + 6, device.liveObjects());
        for (AutoCloseable object : List.of(context, engine, timed, event, stream, buffer, buffer, context)) {
            closeTwice(object);
        }
        assertEquals(before, device.liveObjects());
    }

    @Test
    default void whatIsClosedIsRefused() {
        Stream stream = fixture().stream();
        Buffer open = fixture().floats(1);
        Buffer buffer = fixture().floats(1);
        Slice slice = buffer.all();
        Combination combination = new Combination(open.all(), List.of(slice), List.of(1f));
        Event event = fixture().event();
        Engine engine = fixture().engine("affine", TestModels.affine(1));
        ExecutionContext context = fixture().context(engine);
        Bindings toClosedBuffer = context.bind(Map.of(
            "x", tensor(buffer, DataType.FLOAT32, 1), "y", tensor(open, DataType.FLOAT32, 1)));
        MemorySegment host = fixture().host(1);
        buffer.close();
        event.close();
        assertThrows(IllegalStateException.class, () -> stream.copy(slice, open.all()));
        assertThrows(IllegalStateException.class, () -> stream.upload(host, slice));
        assertThrows(IllegalStateException.class, () -> stream.download(slice, host));
        assertThrows(IllegalStateException.class, () -> stream.combine(combination));
        assertThrows(IllegalStateException.class, () -> stream.record(event));
        assertThrows(IllegalStateException.class, () -> stream.await(event));
        assertThrows(IllegalStateException.class, event::isDone);
        assertThrows(IllegalStateException.class, () -> stream.run(toClosedBuffer));
        assertThrows(IllegalStateException.class, () -> context.bind(Map.of(
            "x", tensor(buffer, DataType.FLOAT32, 1), "y", tensor(open, DataType.FLOAT32, 1))));
        context.close();
        assertThrows(IllegalStateException.class, () -> context.bind(Map.of()));
        engine.close();
        assertThrows(IllegalStateException.class, engine::newContext);
        stream.synchronize();
        stream.close();
        assertThrows(IllegalStateException.class, () -> stream.copy(open.all(), open.all()));
        assertThrows(IllegalStateException.class, stream::synchronize);
        Event late = fixture().event();
        assertThrows(IllegalStateException.class, () -> stream.record(late));
    }

    @Test
    default void aRunOfAClosedContextIsRefused() {
        Stream stream = fixture().stream();
        ExecutionContext context = fixture().context(fixture().engine("affine", TestModels.affine(1)));
        Bindings bindings = context.bind(Map.of("x", tensor(fixture().floats(1), DataType.FLOAT32, 1),
            "y", tensor(fixture().floats(1), DataType.FLOAT32, 1)));
        context.close();
        assertThrows(IllegalStateException.class, () -> stream.run(bindings));
    }

    @Test
    default void closingAStreamWaitsForItsWork() {
        Stream stream = fixture().stream();
        Buffer buffer = fixture().floats(1);
        Gate gate = fixture().block(stream);
        stream.upload(fixture().host(2), buffer.all());
        Event end = fixture().event();
        stream.record(end);
        CompletableFuture<Void> closing = CompletableFuture.runAsync(stream::close);
        assertFalse(end.await(Duration.ofMillis(5)));
        gate.open();
        closing.join();
        assertTrue(end.isDone());
        assertArrayEquals(new float[] {2}, fixture().read(buffer));
    }

    @Test
    default void aFullQueueHoldsTheCallerBackAndLosesNothing() {
        int more = 10_000;
        Stream stream = fixture().stream();
        Buffer counter = fixture().floats(0);
        Combination increment = new Combination(
            counter.all(), List.of(counter.all(), fixture().floats(1).all()), List.of(1f, 1f));
        Gate gate = fixture().block(stream);
        CompletableFuture<Void> queueing = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < more; i++) {
                stream.combine(increment);
            }
            stream.synchronize();
        });
        gate.open();
        queueing.join();
        assertArrayEquals(new float[] {more}, fixture().read(counter));
    }

    @Test
    default void tooMuchMemoryIsRefusedWithTheSizeAndTheDeviceStaysUsable() {
        Device device = fixture().device();
        for (long bytes : new long[] {1L << 50, Long.MAX_VALUE}) {
            String message = assertThrows(DeviceOutOfMemoryException.class, () -> device.allocate(bytes)).getMessage();
            assertTrue(message.contains(Long.toString(bytes)) && message.contains(device.name()), message);
        }
        assertThrows(IllegalArgumentException.class, () -> device.allocate(-1));
        assertArrayEquals(new float[] {1}, fixture().read(fixture().floats(1)));
    }

    @Test
    default void slicesStayInsideTheirBuffer() {
        Buffer buffer = fixture().buffer(fixture().device(), 8);
        assertEquals(8, buffer.bytes());
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.slice(4, 5));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.slice(-1, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.slice(4, 4).slice(0, 5));
    }

    private static void closeTwice(AutoCloseable object) {
        try {
            object.close();
            object.close();
        } catch (Exception failure) {
            throw new AssertionError("closing " + object + " failed", failure);
        }
    }
}
