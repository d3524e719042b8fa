package dev.slipstream.bridge;

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

    /**
     * Whether engines of this device compute with numbers of this type. Storing and copying them is possible in any
     * case.
     */
    default boolean computesIn(DataType type) {
        return true;
    }

    /**
     * Whether its engines are ONNX Runtime's on a CPU: graphs that are written for it, with its own operators such as
     * {@code com.microsoft.MultiHeadAttention}, serve it better. Other devices need not know these.
     */
    default boolean usesOnnxRuntime() {
        return false;
    }

    /** Whether copies between devices can run beside computation, so that a stream of their own pays off. */
    boolean copiesBesideComputing();

    /** Memory of the device now, for a decision before something large is built. Others may take it meanwhile. */
    DeviceMemory memory();

    /**
     * Whether streams of this device can note work and replay it for less than queueing it again
     * ({@link Stream#beginRecording}).
     */
    boolean replays();

    /**
     * Whether what is recorded here may copy to and from another device. Inside of a device it may in any case.
     */
    default boolean recordsCopiesWith(Device other) {
        return false;
    }

    /**
     * From now on the device counts as lost: for work that never ends. Every later call to it and to what it made
     * throws a {@link DeviceLostException} with this reason, whoever waits for it (a caller, or a stream of another
     * device) is woken and told so, and closing the device or anything of it waits for nothing. Memory that stuck work
     * may still touch is not freed before that work ends, which may be never; once it is closed it does not count as a
     * live object. Closing, asking for names and {@link #liveObjects} go on working; giving up twice is harmless.
     *
     * @param reason one sentence, which becomes part of the errors
     */
    void giveUp(String reason);

    /**
     * Objects made by this device and not closed yet: streams, events, buffers, engines, contexts, recordings. For
     * tests.
     */
    int liveObjects();

    @Override
    void close();
}
