package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device.HostMemory;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Giving up a device whose work never ends. The gates of these tests are opened when all is over, if at all. */
public interface GiveUpContract {
    String REASON = "the test has no patience";

    DeviceFixture fixture();

    /** Opens one more device of the kind under test. */
    Device openDevice();

    @Test
    default void everyCallToAGivenUpDeviceThrowsWithTheReason() {
        try (Device device = openDevice(); Stream stream = device.newStream("stuck");
                Buffer buffer = device.allocate(4); Buffer result = device.allocate(4); Event event = device.newEvent();
                Buffer other = device.allocate(4);
                Event timed = device.newTimedEvent();
                Buffer work = device.allocate(GuidanceRescale.workBytes(1));
                Buffer lanes = device.allocate(RelativeChange.WORK_BYTES); HostMemory memory = device.allocateHost(4);
                Engine engine = device.build(EngineSource.of("affine", TestModels.affine(1)));
                ExecutionContext context = engine.newContext()) {
            Map<String, Tensor> tensors = Map.of(
                "x", tensor(buffer, DataType.FLOAT32, 1), "y", tensor(result, DataType.FLOAT32, 1));
            Bindings bindings = context.bind(tensors);
            GuidanceRescale rescale =
                new GuidanceRescale(result.all(), buffer.all(), buffer.all(), work.all(), 1, 1);
            RelativeChange change =
                new RelativeChange(result.all(), buffer.all(), other.all(), lanes.all());
            MemorySegment host = fixture().host(1);
            stream.record(event);
            stream.record(timed);
            stream.synchronize();
            device.giveUp(REASON);
            lost(device, () -> device.allocate(4));
            lost(device, () -> device.allocateHost(4));
            lost(device, memory::bytes);
            lost(device, () -> device.newStream("late"));
            lost(device, device::newEvent);
            lost(device, device::newTimedEvent);
            lost(device, device::memory);
            lost(device, () -> device.build(EngineSource.of("affine", TestModels.affine(1))));
            lost(device, engine::newContext);
            lost(device, () -> context.bind(tensors));
            lost(device, () -> stream.run(bindings));
            lost(device, () -> stream.copy(buffer.all(), result.all()));
            lost(device, () -> stream.upload(host, buffer.all()));
            lost(device, () -> stream.download(buffer.all(), host));
            lost(device, () -> stream.combine(new Combination(result.all(), List.of(buffer.all()), List.of(1f))));
            lost(device, () -> stream.rescale(rescale));
            lost(device, () -> stream.limit(new Limiting(result.all(), buffer.all(), 1, new Limit.Clamp(1))));
            lost(device, () -> stream.compare(change));
            lost(device, () -> stream.checkFinite(tensor(buffer, DataType.FLOAT32, 1), result.all(), 1));
            lost(device, stream::beginCapture);
            lost(device, () -> stream.record(event));
            lost(device, () -> stream.await(event));
            lost(device, stream::synchronize);
            lost(device, event::isDone);
            lost(device, () -> event.await(Duration.ofSeconds(30)));
            lost(device, timed::nanos);
            lost(device, timed::busyNanos);
            assertEquals(11, device.liveObjects());
        }
    }

    @Test
    default void whatIsStuckClosesAtOnceAndNothingStaysOpen() {
        Device device = openDevice();
        Stream stream = device.newStream("stuck");
        Buffer buffer = device.allocate(4);
        Buffer result = device.allocate(4);
        Engine engine = device.build(EngineSource.of("affine", TestModels.affine(1)));
        ExecutionContext context = engine.newContext();
        Bindings bindings = context.bind(Map.of(
            "x", tensor(buffer, DataType.FLOAT32, 1), "y", tensor(result, DataType.FLOAT32, 1)));
        fixture().block(stream);
        stream.run(bindings);
        device.giveUp(REASON);
        for (AutoCloseable object : List.of(stream, context, engine, buffer, result)) {
            close(object);
        }
        assertEquals(0, device.liveObjects());
        device.close();
    }

    @Test
    default void aGivenUpDeviceClosesWhatWasLeaked() {
        Device device = openDevice();
        Stream stream = device.newStream("stuck");
        device.allocate(4);
        device.newEvent();
        fixture().block(stream);
        device.giveUp(REASON);
        device.close();
        assertEquals(0, device.liveObjects());
    }

    @Test
    default void callersWhoWaitAreWoken() {
        try (Device device = openDevice(); Event event = device.newEvent();
                Stream stream = device.newStream("stuck"); Stream closing = device.newStream("closing")) {
            fixture().block(stream);
            fixture().block(closing);
            stream.record(event);
            CountDownLatch started = new CountDownLatch(3);
            List<CompletableFuture<Void>> waiting = new ArrayList<>();
            for (Executable wait : List.<Executable>of(
                    () -> event.await(Duration.ofDays(1)), stream::synchronize, closing::close)) {
                waiting.add(CompletableFuture.runAsync(() -> {
                    started.countDown();
                    call(wait);
                }, task -> Thread.ofPlatform().daemon().start(task)));
            }
            awaitUninterrupted(started);
            device.giveUp(REASON);
            for (CompletableFuture<Void> each : waiting.subList(0, 2)) {
                Throwable cause = assertThrows(CompletionException.class, each::join).getCause();
                assertTrue(assertInstanceOf(DeviceLostException.class, cause).getMessage().contains(REASON));
            }
            waiting.get(2).join();
        }
    }

    @Test
    default void aStreamOfAnotherDeviceThatWaitsIsPoisonedAndCanBeUsedAgain() {
        Stream elsewhere = fixture().stream();
        Buffer buffer = fixture().floats(1);
        try (Device device = openDevice(); Event event = device.newEvent();
                Stream stream = device.newStream("stuck")) {
            fixture().block(stream);
            stream.record(event);
            elsewhere.await(event);
            elsewhere.upload(fixture().host(2), buffer.all());
            device.giveUp(REASON);
            String message = assertThrows(DeviceException.class, elsewhere::synchronize).getMessage();
            assertTrue(message.contains(REASON) && message.contains(device.name()), message);
        }
        assertArrayEquals(new float[] {1}, fixture().read(buffer));
        elsewhere.upload(fixture().host(3), buffer.all());
        elsewhere.synchronize();
        assertArrayEquals(new float[] {3}, fixture().read(buffer));
    }

    @Test
    default void givingUpTwiceKeepsTheFirstReason() {
        try (Device device = openDevice()) {
            device.giveUp(REASON);
            device.giveUp("another reason");
            lost(device, device::newEvent);
        }
    }

    @Test
    default void otherDevicesNoticeNothing() {
        try (Device device = openDevice()) {
            device.giveUp(REASON);
        }
        assertArrayEquals(new float[] {1}, fixture().read(fixture().floats(1)));
        try (Device device = openDevice(); Stream stream = device.newStream("fresh")) {
            stream.synchronize();
        }
    }

    private static void lost(Device device, Executable call) {
        String message = assertThrows(DeviceLostException.class, call).getMessage();
        assertTrue(message.contains(REASON) && message.contains(device.name()), message);
    }

    private static void call(Executable call) {
        try {
            call.execute();
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Throwable unexpected) {
            throw new AssertionError(unexpected);
        }
    }

    private static void close(AutoCloseable object) {
        call(object::close);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        call(latch::await);
    }
}
