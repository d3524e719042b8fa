package org.example.toy;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.BaseStream;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** A queue of work and a thread that does it. (It allocates for each piece of work, which a good stream does not.) */
final class ToyStream extends BaseStream<ToyDevice> {
    /** Something to do. */
    private interface Work {
        void run() throws Exception;
    }

    private final BlockingQueue<Work> queue = new LinkedBlockingQueue<>();
    private final String name;

    /** The first failure; what comes behind it is skipped. */
    private volatile DeviceException failure;

    ToyStream(ToyDevice device, String name) {
        super(device, name);
        this.name = name;
        Thread.ofPlatform().daemon().name(name).start(this::work);
    }

    private void work() {
        boolean running = true;
        while (running) {
            try {
                Work next = queue.take();
                running = next != STOP && !device().lost.isDone();
                if (running) {
                    next.run();
                }
            } catch (Exception unexpected) {
                fail("its thread", unexpected);
            }
        }
    }

    private static final Work STOP = () -> { };

    /** Queues work that is skipped behind a failure. */
    private void enqueue(String what, Work work) {
        queue.add(() -> {
            if (failure == null) {
                try {
                    work.run();
                } catch (Throwable refused) {
                    fail(what, refused);
                }
            }
        });
    }

    private void fail(String what, Throwable why) {
        String message = device().name() + " (" + this + "): " + what + " failed: " + Failures.reason(why);
        failure = why instanceof DeviceException known
            ? Failures.like(known, message) : new DeviceException(message, why);
    }

    @Override
    protected void enqueueRun(BaseBindings bindings) {
        enqueue("running " + bindings.context().engine().name(), ((ToyEngine.Run) bindings)::run);
    }

    @Override
    protected void enqueueCopy(Slice from, Slice to) {
        enqueueCopy(ToyDevice.Buffer.memory(from), ToyDevice.Buffer.memory(to));
    }

    @Override
    protected void enqueueUpload(MemorySegment from, Slice to) {
        enqueueCopy(from, ToyDevice.Buffer.memory(to));
    }

    @Override
    protected void enqueueDownload(Slice from, MemorySegment to) {
        enqueueCopy(ToyDevice.Buffer.memory(from), to);
    }

    private void enqueueCopy(MemorySegment from, MemorySegment to) {
        enqueue("copying " + from.byteSize() + " bytes", () -> to.copyFrom(from));
    }

    @Override
    protected void enqueueCombine(Combination combination) {
        enqueue("combining", () -> ToyArithmetic.combine(combination));
    }

    @Override
    protected void enqueueRescale(GuidanceRescale rescale) {
        enqueue("rescaling", () -> ToyArithmetic.rescale(rescale));
    }

    @Override
    protected void enqueueLimit(Limiting limiting) {
        enqueue("limiting", () -> ToyArithmetic.limit(limiting));
    }

    @Override
    protected void enqueueCompare(RelativeChange change) {
        enqueue("comparing", () -> ToyArithmetic.compare(change));
    }

    @Override
    protected void enqueueFiniteCheck(Tensor tensor, Slice mark, int label) {
        enqueue("checking", () -> ToyArithmetic.checkFinite(tensor, mark, label));
    }

    @Override
    protected void enqueueRecord(BaseEvent<?> event) {
        CompletableFuture<Long> point = ((ToyEvent) event).put(device());
        queue.add(() -> {
            if (failure == null) {
                point.complete(System.nanoTime());
            } else {
                point.completeExceptionally(failure);
            }
        });
    }

    @Override
    protected void enqueueAwait(BaseEvent<?> event) {
        CompletableFuture<Object> over = ((ToyEvent) event).over;
        if (over != null) {
            enqueue("work that it waits for", () -> join(CompletableFuture.anyOf(over, device().lost)));
        }
    }

    @Override
    protected void drain() {
        CompletableFuture<Void> end = new CompletableFuture<>();
        queue.add(() -> end.complete(null));
        join(CompletableFuture.anyOf(end, device().lost));
        DeviceException first = failure;
        failure = null;
        if (first != null) {
            throw Failures.copyForCaller(first);
        }
    }

    /** Waits; a failure arrives as a copy, for each that waits its own. */
    private static void join(CompletableFuture<Object> over) {
        try {
            over.join();
        } catch (CompletionException failed) {
            throw Failures.copyForCaller(Failures.origin((DeviceException) failed.getCause()));
        }
    }

    /** For tests: holds the stream back. */
    void hold(CountDownLatch gate) {
        enqueue("waiting for a test", gate::await);
    }

    @Override
    protected void free() {
        try {
            drain();
        } catch (DeviceException failed) {
            logUnasked(failed);
        }
        queue.add(STOP);
    }
}
