package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An object of TensorRT with an owner here: the code that made it closes it. Closing twice is harmless, and using it
 * afterwards is an {@link IllegalStateException}. It keeps its parent: one that is closed before its children is freed
 * after the last of them. One thread at a time, except for closing.
 */
public abstract class NativeObject implements AutoCloseable {
    private final TensorRt tensorRt;
    private final CppObject object;
    private final Optional<NativeObject> parent;
    private final List<Runnable> afterwards = new ArrayList<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    /** This one while it is open, and each that needs it. */
    private final AtomicInteger users = new AtomicInteger(1);

    NativeObject(TensorRt tensorRt, CppObject object, Optional<NativeObject> parent) {
        this.tensorRt = tensorRt;
        this.object = object;
        this.parent = parent;
        parent.ifPresent(NativeObject::retain);
        tensorRt.count(1);
    }

    public final TensorRt tensorRt() {
        return tensorRt;
    }

    public final int major() {
        return tensorRt.major();
    }

    /** For calls. @throws IllegalStateException if this is closed */
    public final CppObject object() {
        if (closed.get()) {
            throw new IllegalStateException(this + " is closed");
        }
        return object;
    }

    /** For calls of others that take this as an argument. */
    public final MemorySegment address() {
        return object().address();
    }

    /** The object that a call on this one returned. @throws DeviceException if it returned none */
    public final CppObject made(Method method, MemorySegment address, CppClass type, long mark) {
        return tensorRt.object(method.cppName(), address, type, mark);
    }

    /** @throws DeviceException if a call said that it failed */
    public final void check(boolean done, Method method, String detail, long mark) {
        if (!done) {
            throw failure(method, detail, mark);
        }
    }

    public final DeviceException failure(Method method, String detail, long mark) {
        return tensorRt.failure("TensorRT's " + method.cppName() + (detail.isEmpty() ? "" : " for " + detail)
            + " failed", mark, Optional.empty());
    }

    /** Keeps another object for as long as TensorRT has this one. */
    public final void keep(NativeObject needed) {
        needed.retain();
        afterwards.add(needed::release);
    }

    /** Does something once TensorRT no longer has this object. */
    public final void afterwards(Runnable action) {
        afterwards.add(action);
    }

    @Override
    public final void close() {
        if (closed.compareAndSet(false, true)) {
            release();
        }
    }

    @Override
    public String toString() {
        return getClass().getSimpleName();
    }

    private void retain() {
        users.incrementAndGet();
    }

    private void release() {
        if (users.decrementAndGet() == 0) {
            object.delete();
            tensorRt.count(-1);
            afterwards.forEach(Runnable::run);
            parent.ifPresent(NativeObject::release);
        }
    }
}
