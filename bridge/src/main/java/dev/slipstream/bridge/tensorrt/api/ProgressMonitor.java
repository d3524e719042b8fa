package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.JavaObject;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** TensorRT's {@code IProgressMonitor}, made of Java methods: hands on to a {@link Listener}. */
public final class ProgressMonitor {
    /**
     * Hears how far the build of an engine is, and can end it. TensorRT may call from several threads at once. If
     * a method throws, the build ends, and its exception has that one as its cause.
     */
    public interface Listener {
        /**
         * A phase begins.
         *
         * @param parent the phase that it is part of, or an empty text
         * @param steps how many steps it has
         */
        void phaseStarted(String phase, String parent, int steps);

        /** A step is done. @return whether to go on; if not, the build ends soon and fails */
        boolean stepDone(String phase, int step);

        void phaseFinished(String phase);
    }

    private static final FunctionDescriptor START = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS,
        ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    private static final FunctionDescriptor STEP = FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS,
        ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    private static final FunctionDescriptor FINISH = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS,
        ValueLayout.ADDRESS);

    private final Listener progress;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final JavaObject object;
    private volatile boolean cancelled;

    /** @param arena must outlive the configuration that this is given to; shared, as TensorRT's threads call */
    ProgressMonitor(Listener progress, Arena arena) {
        this.progress = progress;
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        this.object = JavaObject.in(arena).versionedInterface("IProgressMonitor")
            .method(JavaObject.bound(lookup, this, "start", START), START)
            .method(JavaObject.bound(lookup, this, "step", STEP), STEP)
            .method(JavaObject.bound(lookup, this, "finish", FINISH), FINISH)
            .build();
    }

    /** For TensorRT. */
    public JavaObject object() {
        return object;
    }

    /** Whether the build was ended from here. */
    public boolean isCancelled() {
        return cancelled;
    }

    /** What the first failing method threw. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }

    private void start(MemorySegment self, MemorySegment phase, MemorySegment parent, int steps) {
        try {
            progress.phaseStarted(CppObject.text(phase), CppObject.text(parent), steps);
        } catch (Throwable thrown) {
            cancel(thrown);
        }
    }

    private boolean step(MemorySegment self, MemorySegment phase, int step) {
        try {
            if (!cancelled && !progress.stepDone(CppObject.text(phase), step)) {
                cancelled = true;
            }
        } catch (Throwable thrown) {
            cancel(thrown);
        }
        return !cancelled;
    }

    private void finish(MemorySegment self, MemorySegment phase) {
        try {
            progress.phaseFinished(CppObject.text(phase));
        } catch (Throwable thrown) {
            cancel(thrown);
        }
    }

    private void cancel(Throwable thrown) {
        failure.compareAndSet(null, thrown);
        cancelled = true;
    }
}
