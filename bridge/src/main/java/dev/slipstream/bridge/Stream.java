package dev.slipstream.bridge;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import java.lang.foreign.MemorySegment;

/**
 * An ordered queue of work on one device. Every call returns once the work is queued (when the queue is full, it
 * blocks until there is room); work of different streams runs at the same time unless an {@link Event} orders it.
 * Queueing allocates nothing.
 *
 * <p><b>Threads:</b> one thread at a time may use a stream: queue work on it, synchronize or close it.
 *
 * <p><b>Failures:</b> work that fails poisons the stream: what was queued after it is skipped, events recorded after
 * it fail, and streams that wait for such an event are poisoned too. {@link #synchronize} throws the first failure and
 * clears it; then the stream can be used again. Nothing hangs on a failure.
 */
public interface Stream extends AutoCloseable {
    Device device();

    /** Runs an engine on the tensors that {@code bindings} names. */
    void run(Bindings bindings);

    /**
     * Copies bytes. One of the two slices must be on this stream's device, the other may be on another device of the
     * same provider. @throws IllegalArgumentException if the sizes differ
     */
    void copy(Slice from, Slice to);

    /**
     * Copies from host memory, which must stay alive and unchanged until the work is done, and be open to all threads:
     * an array, or of a shared or automatic arena.
     *
     * @throws IllegalArgumentException if the sizes differ, or the memory is confined to a thread
     */
    void upload(MemorySegment from, Slice to);

    /**
     * Copies to host memory, which must stay alive until the work is done, and be open to all threads. Into {@link
     * Device#allocateHost memory that the device made for that} it copies without a stop and without allocating.
     *
     * @throws IllegalArgumentException if the sizes differ, or the memory is read-only or confined to a thread
     */
    void download(Slice from, MemorySegment to);

    /** Computes {@code out = Σ weightᵢ·inputᵢ}, on buffers of this stream's device. */
    void combine(Combination combination);

    /** Gives each picture's guided prediction the spread of the text's, on buffers of this stream's device. */
    void rescale(GuidanceRescale rescale);

    /** Bounds the values of pictures, on buffers of this stream's device. */
    void limit(Limiting limiting);

    /** Computes how far a tensor has moved, on buffers of this stream's device. */
    void compare(RelativeChange change);

    /**
     * Looks for NaN and infinite values. If the tensor holds one and the number in {@code mark} is greater than
     * {@code label}, the mark becomes {@code label}; so of several checks with one mark the lowest label stays.
     *
     * @param tensor {@code float32}, {@code float16} or {@code bfloat16}, on this stream's device
     * @param mark one {@code int32} on this stream's device; streams that run at the same time need marks of their own
     * @throws IllegalArgumentException if the tensor has no floating-point elements, or the mark is not four bytes that
     *     begin at a multiple of four and lie outside of the tensor
     */
    void checkFinite(Tensor tensor, Slice mark, int label);

    /**
     * Begins to capture work instead of doing it: from now until {@link #endCapture}, {@link #run}, {@link #copy},
     * {@link #combine}, {@link #rescale}, {@link #limit}, {@link #compare} and {@link #checkFinite} only become part of
     * the graph, and every other call is refused with an {@link IllegalStateException}, except {@link #close}, which
     * drops what was captured. Work queued earlier goes on. Copies from and to another device are refused where
     * {@link Device.Traits#capturesCopiesWith} says so. An engine that is captured must have run on these bindings
     * before. If a call fails, the capture must still be ended.
     *
     * @throws UnsupportedOperationException where the device captures no graphs ({@link Device.Traits#capturesGraphs})
     * @throws IllegalStateException if the stream captures already
     */
    void beginCapture();

    /**
     * Ends the capture; from now on calls are work again.
     *
     * @return what was captured, which the caller closes
     * @throws IllegalStateException if the stream does not capture
     * @throws DeviceException if the work cannot be made into a graph; the stream can be used again all the same
     */
    CapturedGraph endCapture();

    /**
     * Queues all work of a graph, in its order and on the same tensors. The graph, and the buffers and contexts that it
     * names, stay open until that work is done.
     *
     * @throws IllegalArgumentException if the graph was captured on another device
     */
    void launch(CapturedGraph graph);

    /** Puts the event at the present end of the queue. */
    void record(Event event);

    /** Makes all later work of this stream wait for the event, which may belong to any device of the same provider. */
    void await(Event event);

    /**
     * Blocks the calling thread until everything queued so far is done.
     *
     * @throws DeviceException the first failure since the last call; it is cleared by being thrown
     */
    void synchronize();

    /** Waits for the queued work and frees the stream. A failure that no {@link #synchronize} has thrown is logged. */
    @Override
    void close();
}
