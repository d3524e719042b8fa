package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What failed is of the same class behind streams and events, as callers tell by it what to do. */
class TypedFailureTest {
    private static final TensorType TYPE = TensorType.of(DataType.FLOAT32, 1);

    /** Makes engines whose runs find no memory. */
    private static final class Full implements EngineCompiler, CompiledEngine, EngineContext {
        @Override
        public Availability availability() {
            return new Availability.Available("engines without memory");
        }

        @Override
        public CompiledEngine compile(EngineTarget target, EngineSource source) {
            return this;
        }

        @Override
        public Map<String, TensorType> inputs() {
            return Map.of("x", TYPE);
        }

        @Override
        public Map<String, TensorType> outputs() {
            return Map.of("y", TYPE);
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
        public EngineContext newContext() {
            return this;
        }

        @Override
        public Launch prepare(Map<String, DeviceTensor> tensors) {
            return stream -> {
                throw new DeviceOutOfMemoryException("no room for the work space");
            };
        }

        @Override
        public void close() {
            // It holds nothing.
        }
    }

    @Test
    void aRunThatFindsNoMemoryIsAnOutOfMemoryOnItsStreamAndOnThoseThatWaitForIt() {
        FakeCuda driver = FakeCuda.orSkip();
        driver.reset(1, 1L << 30);
        DriverLibrary library = new DriverLibrary(Optional.of(driver.library()));
        CudaProvider provider = new CudaProvider(() -> DriverCheck.run(library), Full::new);
        try (Device device = provider.open(DeviceSpec.parse("cuda:0"));
                Stream first = device.newStream("first"); Stream second = device.newStream("second");
                Buffer x = device.allocate(4); Buffer y = device.allocate(4); Event ran = device.newEvent();
                Engine engine = device.build(EngineSource.of("large", new byte[0]));
                ExecutionContext context = engine.newContext()) {
            first.run(context.bind(Map.of("x", new Tensor(x.all(), TYPE), "y", new Tensor(y.all(), TYPE))));
            first.record(ran);
            second.await(ran);
            assertEquals("cuda:0: running large failed: no room for the work space",
                assertThrows(DeviceOutOfMemoryException.class, first::synchronize).getMessage());
            String message = assertThrows(DeviceOutOfMemoryException.class, second::synchronize).getMessage();
            assertTrue(message.contains("running large failed"), message);
        }
        assertEquals(0, driver.liveHandles(), driver::liveReport);
    }
}
