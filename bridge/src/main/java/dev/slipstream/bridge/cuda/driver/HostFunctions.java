package dev.slipstream.bridge.cuda.driver;

import dev.slipstream.jextract.cuda.CUhostFn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Java code as functions that a stream calls ({@link DeviceCalls#callHost}). */
public final class HostFunctions {
    private static final Logger LOG = LoggerFactory.getLogger(HostFunctions.class);

    private HostFunctions() {
    }

    /**
     * A function that the driver can call.
     *
     * @param body what it does with its argument, on a thread of the driver's; it must not call CUDA
     * @param arena as long as it is open, the function can be called; it must be shared
     */
    public static MemorySegment stub(LongConsumer body, Arena arena) {
        return CUhostFn.allocate(argument -> call(body, argument.address()), arena);
    }

    /** An exception that left the function would end the process. */
    private static void call(LongConsumer body, long argument) {
        try {
            body.accept(argument);
        } catch (Throwable bug) {
            LOG.error("a host function failed", bug);
        }
    }
}
