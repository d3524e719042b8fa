package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceLostException;

/**
 * The ring of commands between the thread that queues (one at a time) and the worker of a stream. A position counts
 * commands since the beginning; the command at a position is in the slot {@code position % CAPACITY}.
 *
 * <p>A slot belongs to the queueing side from {@link #claim} to {@link #publish}, and then to the worker until it says
 * {@link #finish}; each hand-over is an advance of one {@link Progress}, which orders the writes before it.
 */
final class CommandQueue {
    /** Commands that can wait: some tens of denoising steps, in 100 KiB a stream. */
    static final int CAPACITY = 1024;

    /** A caller that finds the queue full sleeps until so many slots are free, so it is not woken for each. */
    private static final int ROOM = CAPACITY / 4;

    private final Command[] slots = new Command[CAPACITY];
    private final Progress queued = new Progress();
    private final Progress done = new Progress();
    private final Progress.Waiter caller = new Progress.Waiter();
    private final Progress.Waiter worker = new Progress.Waiter();

    /** Replaced by the queueing thread once the worker is idle, read by the worker. */
    private volatile Outcome outcome = new Outcome();

    CommandQueue() {
        for (int i = 0; i < CAPACITY; i++) {
            slots[i] = new Command();
        }
    }

    /** Gives the next slot to fill; blocks until there is one. @throws DeviceLostException if it is abandoned */
    Command claim(Command.Operation operation) {
        long position = queued.reached();
        if (!done.hasReached(position - CAPACITY + 1)) {
            requireReached(done.await(position - CAPACITY + ROOM, Progress.FOREVER, caller));
        }
        Command command = slots[(int) (position % CAPACITY)];
        command.operation = operation;
        return command;
    }

    /** Hands the claimed slot to the worker. */
    void publish() {
        queued.advance(queued.reached() + 1);
    }

    /** How many commands were ever queued. */
    long end() {
        return queued.reached();
    }

    /** How far the worker has come. */
    Progress done() {
        return done;
    }

    Outcome outcome() {
        return outcome;
    }

    /** Blocks until all that is queued is done. @throws DeviceLostException if the queue is abandoned before */
    void drain() {
        requireReached(done.await(queued.reached(), Progress.FOREVER, new Progress.Waiter()));
    }

    private void requireReached(boolean reached) {
        if (!reached) {
            throw new DeviceLostException(done.abandoned().getMessage(), done.abandoned());
        }
    }

    /** Lets the worker end after what it does at the moment, and all other threads wait no longer. */
    void abandon(DeviceLostException why) {
        queued.abandon(why);
        done.abandon(why);
    }

    /** Forgets a failure. Only with an empty queue. */
    void renewOutcome() {
        outcome = new Outcome();
    }

    /** The worker's next command; blocks until there is one. Null if the queue is abandoned. */
    Command take() {
        long position = done.reached();
        queued.await(position + 1, Progress.FOREVER, worker);
        return queued.abandoned() != null ? null : slots[(int) (position % CAPACITY)];
    }

    /** Blocks the worker until a stream has got to where the command says; false if it never will. */
    boolean await(Command command) {
        return command.progress.await(command.position, Progress.FOREVER, worker);
    }

    /** The worker is through with its command. */
    void finish(Command command) {
        command.clear();
        done.advance(done.reached() + 1);
    }
}
