package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * Lets a stream wait until a word of host memory is set. Unlike {@link CudaGate} it leaves the thread alone that calls
 * host functions, of which a real driver may have one for all streams. The word is freed with the device's context.
 */
final class ValueGate implements DeviceFixture.Gate {
    private static final String FUNCTION = "cuStreamWaitValue32_v2";
    private static final int AT_LEAST = 0;
    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    private final MemorySegment word;

    private ValueGate(MemorySegment word) {
        this.word = word;
    }

    /** A gate of this kind where the driver that is loaded has what it takes, else a {@link CudaGate}. */
    static DeviceFixture.Gate block(Stream stream) {
        Optional<MemorySegment> function = SymbolLookup.loaderLookup().find(FUNCTION);
        return function.isPresent() ? block((CudaStream) stream, function.get()) : CudaGate.block(stream);
    }

    private static ValueGate block(CudaStream stream, MemorySegment function) {
        DeviceCalls calls = stream.device().calls();
        MemorySegment word = calls.allocatePinned(Integer.BYTES).fill((byte) 0);
        MethodHandle wait = Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            assertEquals(0, (int) wait.invokeExact(stream.handle(), word.address(), 1, AT_LEAST), FUNCTION);
        } catch (Error failure) {
            throw failure;
        } catch (Throwable impossible) {
            throw new AssertionError(FUNCTION, impossible);
        }
        return new ValueGate(word);
    }

    @Override
    public void open() {
        WORD.setVolatile(word, 0L, 1);
    }
}
