package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.JavaObject;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TensorRT's {@code ILogger}, made of a Java method. Errors and warnings go to the log as such and are remembered for
 * exceptions; what TensorRT calls information is for its developers, and is logged as debugging, and details as traces.
 */
public final class Log {
    private static final Logger LOGGER = LoggerFactory.getLogger("dev.slipstream.tensorrt");
    private static final FunctionDescriptor LOG = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT,
        ValueLayout.ADDRESS);

    /** So many warnings and errors are remembered, and so much of each. */
    private static final int KEPT = 16;
    private static final int LONGEST = 600;

    private record Message(long number, String text) {
    }

    private final JavaObject object;
    // Guarded by this.
    private final Deque<Message> recent = new ArrayDeque<>();
    private long count;

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
    public JavaObject object() {
        return object;
    }

    private synchronized void remember(String text) {
        String line = text.strip().replaceAll("\\s*\\R\\s*", " ");
        if (recent.size() == KEPT) {
            recent.removeFirst();
        }
        recent.addLast(new Message(count, line.length() > LONGEST ? line.substring(0, LONGEST) + "…" : line));
        count++;
    }

    /** Now, for {@link #since}. */
    public synchronized long mark() {
        return count;
    }

    /**
     * What was said after a mark, one line each, at most the last few. TensorRT logs from threads of its own, so what
     * is said while one call runs may belong to another that runs at the same time.
     */
    public synchronized List<String> since(long mark) {
        return recent.stream().filter(message -> message.number() >= mark).map(Message::text).distinct().toList();
    }

    /** Called by TensorRT, from any thread. */
    private void log(MemorySegment self, int severity, MemorySegment message) {
        try {
            switch (severity) {
                case 0, 1 -> {
                    remember(CppObject.text(message));
                    LOGGER.error("{}", CppObject.text(message));
                }
                case 2 -> {
                    remember(CppObject.text(message));
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
