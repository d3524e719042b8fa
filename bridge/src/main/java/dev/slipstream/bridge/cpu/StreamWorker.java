package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** The thread of a stream: takes commands and does them, until one says to stop. */
final class StreamWorker implements Runnable {
    private final CommandQueue queue;
    private final String streamName;
    private final CombinationKernel combinations = new CombinationKernel();
    private final RescaleKernel rescales = new RescaleKernel();
    private final LimitKernel limits = new LimitKernel();
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final boolean knowsCpuTime = threads.isCurrentThreadCpuTimeSupported();

    private final Runnable afterEnd;

    /**
     * @param streamName what errors call the stream: device and name
     * @param afterEnd called by the thread when it does no more work
     */
    StreamWorker(CommandQueue queue, String streamName, Runnable afterEnd) {
        this.queue = queue;
        this.streamName = streamName;
        this.afterEnd = afterEnd;
    }

    @Override
    public void run() {
        boolean running = true;
        while (running) {
            Command command = queue.take();
            running = command != null && command.operation != Command.Operation.STOP;
            if (command != null) {
                if (!queue.outcome().isFailed()) {
                    perform(command);
                }
                queue.finish(command);
            }
        }
        afterEnd.run();
    }

    // The worker must outlive whatever goes wrong, or everyone who waits for it would hang: so it catches all there is.
    private void perform(Command command) {
        try {
            switch (command.operation) {
                case RUN -> command.bindings.run();
                case COPY -> MemorySegment.copy(
                    command.from, command.fromOffset, command.to, command.toOffset, command.bytes);
                case COMBINE -> combinations.compute(command.combination);
                case RESCALE -> rescales.compute(command.rescale);
                case LIMIT -> limits.compute(command.limiting);
                case GUARD -> Guard.check(command.guarded, command.mark, command.label);
                case AWAIT -> await(command);
                case STAMP -> stamp(command);
                case STOP -> { /* the loop ends */ }
            }
        } catch (OrtException failure) {
            fail(streamName + ": " + command + " failed: " + OnnxRuntime.reason(failure), failure);
        } catch (Throwable failure) {
            fail(streamName + ": " + command + " failed: " + Failures.reason(failure), failure);
        }
    }

    private void await(Command command) {
        DeviceException failure = queue.await(command) ? command.outcome.failureBefore(command.position)
            : command.progress.abandoned();
        if (failure != null) {
            DeviceException origin = Failures.origin(failure);
            fail(streamName + ": skipped, as it waits for work that failed: " + origin.getMessage(), origin);
        }
    }

    private void stamp(Command command) {
        long now = System.nanoTime();
        long busy = knowsCpuTime ? threads.getCurrentThreadCpuTime() : now;
        command.event.stamp(command.progress, command.position, now, busy);
    }

    private void fail(String message, Throwable cause) {
        queue.outcome().fail(queue.done().reached(), cause instanceof DeviceException known
            ? Failures.like(known, message) : new DeviceException(message, cause));
    }
}
