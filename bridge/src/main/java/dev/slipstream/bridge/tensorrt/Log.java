package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TensorRT's {@code ILogger}, made of a Java method. Errors and warnings go to the log as such and are remembered for
 * exceptions; what TensorRT calls information is for its developers, and is logged as debugging, and details as traces.
 */
final class Log {
    private static final Logger LOGGER = LoggerFactory.getLogger("dev.slipstream.tensorrt");
    private static final FunctionDescriptor LOG = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT,
        ValueLayout.ADDRESS);

    private final Messages messages = new Messages();
    private final JavaObject object;

    /**
     * @param arena must outlive everything of TensorRT, which logs from threads of its own
     * @param major version of TensorRT: from 11 on a logger also tells its name and version
     */
    Log(Arena arena, int major) {
        MethodHandle log = JavaObject.bound(MethodHandles.lookup(), this, "log", LOG);
        JavaObject.Builder table = JavaObject.in(arena);
        object = major == 10 ? table.method(log, LOG).destructor().build()
            : table.versionedInterface("ILogger").method(log, LOG).build();
    }

    /** For TensorRT. */
    JavaObject object() {
        return object;
    }

    Messages messages() {
        return messages;
    }

    /** Called by TensorRT, from any thread. */
    private void log(MemorySegment self, int severity, MemorySegment message) {
        try {
            switch (severity) {
                case 0, 1 -> {
                    messages.add(CppObject.text(message));
                    LOGGER.error("{}", CppObject.text(message));
                }
                case 2 -> {
                    messages.add(CppObject.text(message));
                    LOGGER.warn("{}", CppObject.text(message));
                }
                case 3 -> {
                    if (LOGGER.isDebugEnabled()) {
                        LOGGER.debug("{}", CppObject.text(message));
                    }
                }
                default -> {
                    if (LOGGER.isTraceEnabled()) {
                        LOGGER.trace("{}", CppObject.text(message));
                    }
                }
            }
        } catch (Throwable failure) {
            // It must not reach TensorRT, and a log that cannot be written has no other place to say so.
        }
    }
}
