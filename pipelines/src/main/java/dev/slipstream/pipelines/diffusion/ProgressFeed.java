package dev.slipstream.pipelines.diffusion;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners how far a generation is, each in order and none waiting for another. Who tells never waits: what a
 * listener has not heard yet is kept within bounds, the newest. Any thread may use it.
 */
final class ProgressFeed implements Flow.Publisher<Progress> {
    private static final Logger LOG = LoggerFactory.getLogger(ProgressFeed.class);
    /** Steps that wait for a listener, at most. */
    static final int MOST_STEPS = 256;
    /** Of these with their previews, which are large. */
    static final int MOST_PREVIEWS = 8;

    private final Callbacks callbacks;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private boolean ended;
    private Optional<Throwable> reason = Optional.empty();

    ProgressFeed(Callbacks callbacks) {
        this.callbacks = callbacks;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super Progress> subscriber) {
        Listener listener = new Listener(subscriber);
        synchronized (this) {
            if (ended) {
                listener.end(reason);
            } else {
                listeners.add(listener);
            }
        }
        listener.wake();
    }

    /** Calls a consumer for each step until it throws, which is logged and makes the future fail. */
    CompletableFuture<Void> consume(Consumer<? super Progress> consumer) {
        CompletableFuture<Void> heard = callbacks.newFuture();
        subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                heard.whenComplete((nothing, failure) -> subscription.cancel());
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(Progress progress) {
                try {
                    consumer.accept(progress);
                } catch (Throwable failure) {
                    warn(failure);
                    heard.completeExceptionally(failure);
                }
            }

            @Override
            public void onError(Throwable failure) {
                heard.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                heard.complete(null);
            }
        });
        return heard;
    }

    private static void warn(Throwable failure) {
        LOG.warn("a listener to progress failed, and is told no more; the generation goes on", failure);
    }

    boolean hasListeners() {
        return !listeners.isEmpty();
    }

    void tell(Progress progress) {
        listeners.forEach(listener -> listener.offer(progress));
    }

    /** Nothing more will come. @param why what failed, if something did */
    void end(Optional<Throwable> why) {
        synchronized (this) {
            ended = true;
            reason = why;
        }
        listeners.forEach(listener -> {
            listener.end(why);
            listener.wake();
        });
        listeners.clear();
    }

    /** One subscriber, whom one thread at a time tells what is next. */
    private final class Listener implements Flow.Subscription {
        private final Flow.Subscriber<? super Progress> subscriber;
        private final Deque<Progress> waiting = new ArrayDeque<>();
        private long wanted;
        private boolean introduced;
        private boolean impossible;
        private boolean last;
        private Optional<Throwable> failure = Optional.empty();
        private boolean finished;
        private boolean telling;

        private Listener(Flow.Subscriber<? super Progress> subscriber) {
            this.subscriber = Objects.requireNonNull(subscriber, "subscriber");
        }

        private void offer(Progress progress) {
            synchronized (this) {
                if (finished || last) {
                    return;
                }
                waiting.add(progress);
                if (waiting.size() > MOST_STEPS) {
                    waiting.poll();
                }
                dropPreviews();
            }
            wake();
        }

        private void dropPreviews() {
            List<Progress> shown = waiting.stream().filter(it -> !it.previews().isEmpty()).toList();
            if (shown.size() > MOST_PREVIEWS) {
                Progress oldest = shown.getFirst();
                Deque<Progress> kept = new ArrayDeque<>(waiting);
                waiting.clear();
                kept.forEach(it -> waiting.add(it == oldest ? new Progress(it.step(), it.steps(), List.of()) : it));
            }
        }

        private synchronized void end(Optional<Throwable> why) {
            last = true;
            failure = why;
        }

        @Override
        public void request(long count) {
            synchronized (this) {
                if (count > 0) {
                    wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + count;
                } else {
                    impossible = true;
                }
            }
            wake();
        }

        @Override
        public void cancel() {
            synchronized (this) {
                finished = true;
                waiting.clear();
            }
            listeners.remove(this);
        }

        private void wake() {
            synchronized (this) {
                if (telling || !hasNews()) {
                    return;
                }
                telling = true;
            }
            callbacks.execute(this::tellAll);
        }

        private boolean hasNews() {
            return !finished && (!introduced || impossible || last && waiting.isEmpty()
                || wanted > 0 && !waiting.isEmpty());
        }

        private void tellAll() {
            for (Runnable next = next(); next != null; next = next()) {
                try {
                    next.run();
                } catch (Throwable failed) {
                    warn(failed);
                    cancel();
                }
            }
        }

        private synchronized @Nullable Runnable next() {
            if (!hasNews()) {
                telling = false;
                return null;
            }
            if (!introduced) {
                introduced = true;
                return () -> subscriber.onSubscribe(this);
            }
            if (impossible) {
                finished = true;
                return () -> subscriber.onError(new IllegalArgumentException("a subscriber asks for at least 1 item"));
            }
            if (wanted > 0 && !waiting.isEmpty()) {
                wanted -= wanted == Long.MAX_VALUE ? 0 : 1;
                Progress progress = waiting.poll();
                return () -> subscriber.onNext(progress);
            }
            finished = true;
            Optional<Throwable> why = failure;
            return () -> why.ifPresentOrElse(subscriber::onError, subscriber::onComplete);
        }
    }
}
