package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who gets a GPU's memory, and what its errors say: buffers from a pool, engines past it. */
class FakeCudaMemoryTest {
    private static final long ALL = 1 << 20;
    private static final long LARGE = ALL * 3 / 4;
    private static final EngineSource SOURCE = EngineSource.of("affine", TestModels.affine(4));

    private final List<Long> seen = new ArrayList<>();
    private FakeCuda driver;
    private CudaProvider provider;
    private long wanted;
    private int full;

    /** An engine or context that needs memory past the pool, and is told by the driver how much of that there is. */
    private final class Needy implements EngineCompiler, CompiledEngine, EngineContext {
        @Override
        public Availability availability() {
            return new Availability.Available("needs memory");
        }

        @Override
        public CompiledEngine compile(EngineTarget target, EngineSource source) {
            take();
            return this;
        }

        @Override
        public EngineContext newContext() {
            take();
            return this;
        }

        private void take() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
                driver.call(ValueLayout.JAVA_INT, "cuMemGetInfo_v2", free, arena.allocate(ValueLayout.JAVA_LONG));
                seen.add(free.get(ValueLayout.JAVA_LONG, 0));
            }
            if (seen.getLast() < wanted) {
                full++;
                throw new DeviceOutOfMemoryException("too little memory");
            }
        }

        @Override
        public Map<String, TensorType> inputs() {
            return Map.of();
        }

        @Override
        public Map<String, TensorType> outputs() {
            return Map.of();
        }

        @Override
        public long contextBytes() {
            return 0;
        }

        @Override
        public long alignment() {
            return 1;
        }

        @Override
        public Launch prepare(Map<String, DeviceTensor> tensors) {
            throw new AssertionError("nothing runs here");
        }

        @Override
        public void close() {
        }
    }

    @BeforeEach
    void start() {
        driver = FakeCuda.orSkip();
        driver.reset(1, ALL);
        DriverLibrary library = new DriverLibrary(Optional.of(driver.library()));
        provider = new CudaProvider(() -> DriverCheck.run(library), Needy::new);
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals("", driver.liveReport());
    }

    private Device open() {
        return provider.open(DeviceSpec.parse("cuda:0"));
    }

    /** Frees are done in the order of a stream of their own; this waits for it, and leaves the pool as it is. */
    private void free(Device device, Buffer buffer) {
        buffer.close();
        ((CudaDevice) device).calls().makeCurrent();
        assertEquals(0, driver.call(ValueLayout.JAVA_INT, "cuCtxSynchronize"));
    }

    @Test
    void whatBuffersLeftIsGivenBackBeforeAnEngineAndItsContextsAreMade() {
        try (Device device = open()) {
            Buffer buffer = device.allocate(LARGE);
            free(device, buffer);
            wanted = ALL;
            try (Engine engine = device.build(SOURCE)) {
                free(device, device.allocate(LARGE));
                engine.newContext().close();
            }
            assertEquals(List.of(ALL, ALL), seen);
        }
    }

    @Test
    void anEngineThatFindsNoMemoryIsTriedOnceMoreAfterFreesHaveBeenWaitedFor() {
        try (Device device = open(); Stream stream = device.newStream("late")) {
            Buffer buffer = device.allocate(LARGE);
            wanted = ALL;
            CudaGate gate = CudaGate.block(stream);
            buffer.close();
            assertFalse(device.memory().freeBytes() > ALL - LARGE, "the free waits for the stream");
            Thread opener = Thread.ofPlatform().unstarted(() -> {
                while (full == 0) {
                    Thread.onSpinWait();
                }
                gate.open();
            });
            opener.start();
            device.build(SOURCE).close();
            assertEquals(List.of(ALL - LARGE, ALL), seen);
        }
    }

    @Test
    void anEngineThatNeedsMoreThanThereIsIsRefusedAtOnce() {
        try (Device device = open(); Buffer kept = device.allocate(LARGE)) {
            wanted = ALL;
            assertThrows(DeviceOutOfMemoryException.class, () -> device.build(SOURCE));
            assertEquals(1, full, "nothing was gained by trying again");
            assertEquals(LARGE, kept.bytes());
        }
    }

    @Test
    void aBufferWaitsForMemoryThatIsBeingFreed() {
        try (Device device = open()) {
            device.allocate(LARGE).close();
            free(device, device.allocate(LARGE));
            assertEquals(ALL, device.memory().freeBytes(), "what the pool keeps counts as free");
        }
    }

    /** Codes of cuda.h 13.0: after some of them it says that the process must be relaunched. */
    @ParameterizedTest
    @CsvSource({"226, true", "700, true", "719, true", "810, true", "911, true", "912, false", "1, false"})
    void onlyErrorsThatStayMakeADeviceLost(int code, boolean lost) {
        Device device = open();
        driver.failCall(1, code); // the context is current already
        DeviceException failure = assertThrows(DeviceException.class, device::newEvent);
        assertEquals(lost, failure instanceof DeviceLostException, failure::getMessage);
        assertEquals(lost, failure.getMessage().contains("the device is lost, restart the process"),
            failure::getMessage);
        if (!lost) {
            device.newEvent().close();
        }
        device.close();
    }

    @Test
    void aLostDeviceCannotBeOpenedAgainInTheSameProcess() {
        Device device = open();
        driver.loseDevice(0);
        assertThrows(DeviceLostException.class, device::memory);
        device.close();
        String message = assertThrows(DeviceLostException.class, this::open).getMessage();
        assertTrue(message.endsWith("restart the process"), message);
        assertFalse(message.contains("again"), message);
        driver.newProcess();
        open().close();
    }
}
