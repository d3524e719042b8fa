package dev.slipstream.bridge;

import org.jspecify.annotations.Nullable;

/**
 * What every failure of Slipstream is, but for arguments that are wrong whatever the model and the devices ({@link
 * IllegalArgumentException}), the use of what is closed ({@link IllegalStateException}), cancelling ({@link
 * java.util.concurrent.CancellationException}) and files that cannot be written ({@link java.io.UncheckedIOException}).
 * The message is one sentence: what failed, on which device or file, and what to do. A service answers by
 * {@link #fault} and {@link #retryable}:
 *
 * <pre>{@code
 * switch (failure.fault()) {
 *     case CALLER -> answer(400, failure.getMessage());
 *     case MACHINE -> answer(failure.retryable() ? 503 : 500, "try again later");
 *     case MODEL, SLIPSTREAM -> answer(500, "this model cannot draw it");
 * }
 * }</pre>
 */
public class SlipstreamException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Who can do something about it. */
    public enum Fault {
        /** What was asked for: a prompt, a size, a plan, a device. Ask for something else. */
        CALLER,
        /** A file of the model or of an adapter: missing, damaged, or of a kind that is not supported. */
        MODEL,
        /** A device or the machine: memory that is full, a driver that fails. */
        MACHINE,
        /** Slipstream itself, or an engine library that it called: please report it. */
        SLIPSTREAM
    }

    private final Fault fault;
    private final boolean retryable;

    /**
     * @param fault who can do something about it
     * @param retryable whether the same may work later
     * @param message one sentence
     * @param cause null if there is none
     */
    protected SlipstreamException(Fault fault, boolean retryable, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.fault = fault;
        this.retryable = retryable;
    }

    /** Who can do something about it. */
    public final Fault fault() {
        return fault;
    }

    /** Whether the same call may succeed later, as when memory is free again; what was opened stays open. */
    public final boolean retryable() {
        return retryable;
    }
}
