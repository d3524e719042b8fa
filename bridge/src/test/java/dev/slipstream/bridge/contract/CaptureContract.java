package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Graphs, where a device has them. */
public interface CaptureContract {
    DeviceFixture fixture();

    /** Opens one more device of the kind under test. */
    Device openDevice();

    @Test
    default void devicesWithoutGraphsSaySo() {
        assumeFalse(fixture().device().traits().capturesGraphs(), "this device captures graphs");
        Stream stream = fixture().stream();
        assertThrows(UnsupportedOperationException.class, stream::beginCapture);
        assertThrows(IllegalStateException.class, stream::endCapture);
        stream.synchronize();
    }

    @Test
    default void whatIsCapturedIsDoneOnlyWhenItIsLaunchedAndThenEachTime() {
        Stream stream = capturingStream();
        Buffer buffer = fixture().floats(1, -1);
        stream.beginCapture();
        stream.combine(twice(buffer));
        CapturedGraph graph = fixture().keep(stream.endCapture());
        stream.synchronize();
        assertArrayEquals(new float[] {1, -1}, fixture().read(buffer));
        assertSame(fixture().device(), graph.device());
        for (int i = 0; i < 10; i++) {
            stream.launch(graph);
        }
        stream.synchronize();
        assertArrayEquals(new float[] {1024, -1024}, fixture().read(buffer));
    }

    @Test
    default void everyKindOfWorkIsCaptured() {
        Stream stream = capturingStream();
        Buffer x = fixture().floats(1, 2);
        Buffer y = fixture().floats(0, 0);
        Buffer z = fixture().floats(0, 0);
        Buffer w = fixture().floats(0, 0);
        Buffer work = fixture().buffer(fixture().device(), GuidanceRescale.workBytes(1));
        Buffer far = fixture().floats(0);
        Buffer lanes = fixture().buffer(fixture().device(), RelativeChange.WORK_BYTES);
        Buffer mark = fixture().floats(Float.intBitsToFloat(9));
        Bindings affine = fixture().context(fixture().engine("affine", TestModels.affine(2))).bind(Map.of(
            "x", tensor(x, DataType.FLOAT32, 2), "y", tensor(y, DataType.FLOAT32, 2)));
        stream.run(affine);
        stream.synchronize();
        stream.beginCapture();
        stream.run(affine);
        stream.rescale(new GuidanceRescale(z.all(), y.all(), x.all(), work.all(), 1, 1));
        stream.limit(new Limiting(z.all(), z.all(), 1, new Limit.Clamp(2)));
        stream.limit(new Limiting(w.all(), y.all(), 1, new Limit.DynamicThreshold(1, 4)));
        stream.compare(new RelativeChange(far.all(), y.all(), x.all(), lanes.all()));
        stream.combine(twice(y));
        stream.copy(y.all(), x.all());
        stream.checkFinite(tensor(x, DataType.FLOAT32, 2), mark.all(), 5);
        CapturedGraph graph = fixture().keep(stream.endCapture());
        stream.launch(graph);
        stream.synchronize();
        assertArrayEquals(new float[] {6, 10}, fixture().read(x));
        assertArrayEquals(new float[] {1.5f, 2}, fixture().read(z));
        assertArrayEquals(new float[] {0.75f, 1}, fixture().read(w));
        assertArrayEquals(new float[] {5 / 3f}, fixture().read(far));
        assertEquals(9, Float.floatToRawIntBits(fixture().read(mark)[0]));
        stream.upload(fixture().host(Float.NaN, 1), x.all());
        stream.launch(graph);
        stream.synchronize();
        assertArrayEquals(new float[] {Float.NaN, 6}, fixture().read(x));
        assertEquals(5, Float.floatToRawIntBits(fixture().read(mark)[0]));
    }

    @Test
    default void launchesKeepTheirPlaceAmongOtherWork() {
        Stream stream = capturingStream();
        Buffer buffer = fixture().floats(1);
        Combination plusOne = new Combination(
            buffer.all(), List.of(buffer.all(), fixture().floats(1).all()), List.of(1f, 1f));
        stream.combine(plusOne);
        stream.beginCapture();
        stream.combine(twice(buffer));
        CapturedGraph graph = fixture().keep(stream.endCapture());
        Event between = fixture().event();
        Gate gate = fixture().block(stream);
        stream.launch(graph);
        stream.combine(plusOne);
        stream.record(between);
        stream.launch(graph);
        assertFalse(between.await(Duration.ofMillis(5)), "the graph does not wait for the work before it");
        gate.open();
        stream.synchronize();
        assertArrayEquals(new float[] {10}, fixture().read(buffer));
    }

    @Test
    default void oneStreamCapturesManyGraphsAndAnotherStreamMayLaunchThem() {
        Stream stream = capturingStream();
        Buffer buffer = fixture().floats(1);
        stream.beginCapture();
        stream.combine(twice(buffer));
        CapturedGraph twice = fixture().keep(stream.endCapture());
        stream.beginCapture();
        stream.combine(new Combination(
            buffer.all(), List.of(buffer.all(), fixture().floats(1).all()), List.of(1f, 1f)));
        CapturedGraph plusOne = fixture().keep(stream.endCapture());
        stream.beginCapture();
        CapturedGraph nothing = fixture().keep(stream.endCapture());
        Stream another = fixture().stream();
        for (CapturedGraph each : List.of(plusOne, twice, nothing, plusOne, plusOne, twice)) {
            another.launch(each);
        }
        another.synchronize();
        assertArrayEquals(new float[] {12}, fixture().read(buffer));
    }

    @Test
    default void copiesFromAnotherDeviceAreCaptured() {
        Buffer there = fixture().floats(fixture().other(), 42);
        Buffer here = fixture().floats(0);
        Stream stream = capturingStream();
        assumeTrue(capturesCopies(), "it captures no copies between devices");
        stream.beginCapture();
        stream.copy(there.all(), here.all());
        CapturedGraph graph = fixture().keep(stream.endCapture());
        stream.launch(graph);
        stream.synchronize();
        assertArrayEquals(new float[] {42}, fixture().read(here));
    }

    @Test
    default void copiesFromAnotherDeviceThatCannotBeCapturedAreRefusedAndTheCaptureGoesOn() {
        Buffer there = fixture().floats(fixture().other(), 42);
        Buffer here = fixture().floats(1);
        Stream stream = capturingStream();
        assumeFalse(capturesCopies(), "it captures copies between devices");
        stream.beginCapture();
        stream.combine(twice(here));
        String message = assertThrows(IllegalStateException.class, () -> stream.copy(there.all(), here.all()))
            .getMessage();
        assertTrue(message.contains(fixture().other().name()), message);
        CapturedGraph graph = fixture().keep(stream.endCapture());
        stream.launch(graph);
        stream.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(here));
    }

    @Test
    default void whatCannotBeCapturedIsRefusedAndTheCaptureGoesOn() {
        Stream stream = capturingStream();
        Buffer buffer = fixture().floats(1);
        MemorySegment host = fixture().host(3);
        Event event = fixture().event();
        stream.beginCapture();
        CapturedGraph empty = fixture().keep(stream.endCapture());
        stream.beginCapture();
        stream.combine(twice(buffer));
        assertThrows(IllegalStateException.class, stream::beginCapture);
        assertThrows(IllegalStateException.class, () -> stream.upload(host, buffer.all()));
        assertThrows(IllegalStateException.class, () -> stream.download(buffer.all(), host));
        assertThrows(IllegalStateException.class, () -> stream.record(event));
        assertThrows(IllegalStateException.class, () -> stream.await(event));
        assertThrows(IllegalStateException.class, () -> stream.launch(empty));
        assertThrows(IllegalStateException.class, stream::synchronize);
        CapturedGraph graph = fixture().keep(stream.endCapture());
        assertThrows(IllegalStateException.class, stream::endCapture);
        stream.launch(graph);
        stream.synchronize();
        assertArrayEquals(new float[] {2}, fixture().read(buffer));
    }

    @Test
    default void aStreamThatCapturesCanBeClosed() {
        Stream stream = capturingStream();
        stream.beginCapture();
        stream.combine(twice(fixture().floats(1)));
        stream.close();
        assertThrows(RuntimeException.class, stream::endCapture);
    }

    @Test
    default void graphsAreLiveObjectsAndUselessWhenClosed() {
        Stream stream = capturingStream();
        Buffer buffer = fixture().floats(1);
        int before = fixture().device().liveObjects();
        stream.beginCapture();
        stream.combine(twice(buffer));
        CapturedGraph graph = stream.endCapture();
        assertEquals(before + 1, fixture().device().liveObjects());
        graph.close();
        graph.close();
        assertEquals(before, fixture().device().liveObjects());
        assertThrows(IllegalStateException.class, () -> stream.launch(graph));
        stream.synchronize();
        assertArrayEquals(new float[] {1}, fixture().read(buffer));
    }

    @Test
    default void aGraphOfAnotherDeviceIsRefused() {
        Stream stream = capturingStream();
        stream.beginCapture();
        CapturedGraph graph = fixture().keep(stream.endCapture());
        Stream elsewhere = fixture().stream(fixture().other());
        assertThrows(IllegalArgumentException.class, () -> elsewhere.launch(graph));
        elsewhere.synchronize();
    }

    @Test
    default void aDeviceClosesGraphsThatWereLeaked() {
        assumeTrue(fixture().device().traits().capturesGraphs(), "this device captures no graphs");
        Device device = openDevice();
        Stream stream = device.newStream("leaks");
        stream.beginCapture();
        stream.endCapture();
        device.close();
        assertEquals(0, device.liveObjects());
    }

    private boolean capturesCopies() {
        return fixture().device().traits().capturesCopiesWith(fixture().other().traits());
    }

    private Stream capturingStream() {
        assumeTrue(fixture().device().traits().capturesGraphs(), "this device captures no graphs");
        return fixture().stream();
    }

    private static Combination twice(Buffer buffer) {
        return new Combination(buffer.all(), List.of(buffer.all()), List.of(2f));
    }
}
