package dev.slipstream.bridge;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;

/**
 * A place where work runs: a GPU, or a share of the cores with a fixed number of threads. It makes everything that
 * lives on it. Any thread may use it.
 *
 * <p>Its owner closes it after everything that it made; what is still open then is closed by it and logged as a leak.
 */
public interface Device extends AutoCloseable {
    /** For example {@code cpu:0}: what plans, errors and timelines call it. Unique among open devices of a provider. */
    String name();

    /** One line for people: model, threads or memory. */
    String description();

    /** Makes a buffer. @throws DeviceOutOfMemoryException with the sizes, if there is no room */
    Buffer allocate(long bytes);

    /**
     * Makes memory of the host to which streams of this device copy without the host's waiting for them.
     *
     * @param bytes at least 1
     * @throws DeviceOutOfMemoryException if there is no room
     */
    HostMemory allocateHost(long bytes);

    /** Makes a stream. The name shows in errors and, on a CPU, as the name of its thread. */
    Stream newStream(String name);

    /** Makes an event without timing: the cheap kind. */
    Event newEvent();

    /** Makes an event that knows when it was passed. */
    Event newTimedEvent();

    /**
     * Compiles a graph for this device. May take long.
     *
     * @throws EngineBuildException if the graph is damaged or holds something that the provider cannot run; the
     *     message names the source and the reason
     */
    Engine build(EngineSource source);

    /** What the device is: hardware, types, abilities. Always the same, also when the device is lost or closed. */
    Traits traits();

    /** Memory of the device now, for a decision before something large is built. Others may take it meanwhile. */
    Memory memory();

    /**
     * From now on the device counts as lost: for work that never ends. Every later call to it and to what it made
     * throws a {@link DeviceLostException} with this reason, whatever waits for it (a caller, or a stream of another
     * device) is woken and told so, and closing the device or anything of it waits for nothing. Memory that stuck work
     * may still touch is not freed before that work ends, which may be never; once it is closed it does not count as a
     * live object. Closing, asking for names and {@link #liveObjects} go on working; giving up twice is harmless.
     *
     * @param reason one sentence, which becomes part of the errors
     */
    void giveUp(String reason);

    /**
     * Objects made by this device and not closed yet: streams, events, buffers, host memory, engines, contexts, graphs.
     * For tests.
     */
    int liveObjects();

    @Override
    void close();

    /** Memory of the host that a device copies to. It is freed by closing it, once no queued work names it. */
    interface HostMemory extends AutoCloseable {
        /** All of it, open to any thread until it is closed. */
        MemorySegment bytes();

        @Override
        void close();
    }

    /**
     * Memory of a device at one moment.
     *
     * @param freeBytes what a program could still get; on a CPU what the system could give without swapping
     * @param totalBytes all there is
     */
    record Memory(long freeBytes, long totalBytes) {
        public Memory {
            if (freeBytes < 0 || freeBytes > totalBytes) {
                throw new IllegalArgumentException(freeBytes + " bytes free of " + totalBytes);
            }
        }
    }

    /**
     * What a device is, as far as programs choose graphs, numbers and plans by it.
     *
     * @param hardware what it runs on, for example {@code cuda:0}; devices of one provider with the same hardware share
     *     its memory, and their copies to each other are copies inside of it
     * @param dialect which graphs serve its engines best
     * @param types of the numbers that its engines compute with; storing and copying others is possible in any case
     * @param copiesBesideComputing whether copies between devices can run beside computation, so that a stream of their
     *     own pays off
     * @param readsInPlace whether its engines read tensors where they lie on other devices of the same provider and
     *     hardware, so that these need not be copied
     * @param capture which work its streams can capture in a graph ({@link Stream#beginCapture}), to launch it for less
     *     than queueing it again
     * @param storesEngines whether engines that it built are kept for the next start
     */
    record Traits(String hardware, Dialect dialect, Set<DataType> types, boolean copiesBesideComputing,
            boolean readsInPlace, Capture capture, boolean storesEngines) {
        /** In which form engines want their graphs. */
        public enum Dialect {
            /** Standard ONNX operators. */
            ONNX,
            /** Also operators of ONNX Runtime's own, such as {@code com.microsoft.MultiHeadAttention}. */
            ONNX_RUNTIME
        }

        /** What streams can capture. */
        public enum Capture {
            /** Nothing: there are no graphs to launch. */
            NONE,
            /** All work that stays inside of the hardware. */
            OWN_MEMORY,
            /** Copies to and from other hardware of the provider as well. */
            PEER_COPIES
        }

        public Traits {
            types = Set.copyOf(types);
        }

        /** A device without special abilities: standard operators, all types, one thing at a time, no graphs. */
        public static Traits plain(String hardware) {
            return new Traits(hardware, Dialect.ONNX, EnumSet.allOf(DataType.class), false, false, Capture.NONE,
                false);
        }

        /** Whether its streams can capture work. */
        public boolean capturesGraphs() {
            return capture != Capture.NONE;
        }

        /** Whether its streams can capture copies from and to such a device of the same provider. */
        public boolean capturesCopiesWith(Traits other) {
            return capture == Capture.PEER_COPIES || capturesGraphs() && hardware.equals(other.hardware);
        }
    }
}
