package dev.slipstream.pipelines.diffusion.callback;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners one item of news after another, each in order and none waiting for another. Who tells never waits:
 * what a listener has not heard yet is kept within bounds, the newest. Any thread may use it.
 *
 * @param <T> what is told
 */
public final class Feed<T> implements Flow.Publisher<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Feed.class);
    /** Items that wait for a listener, at most. */
    public static final int MOST = 256;
    /** Large ones of these. */
    public static final int MOST_LARGE = 8;

    private final Callbacks callbacks;
    private final Predicate<T> large;
    private final UnaryOperator<T> lightened;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private boolean ended;
    private Optional<Throwable> reason = Optional.empty();

    /**
     * @param large whether an item is, so that few of them may wait
     * @param lightened what is told instead of an older large item, to a listener that is slow
     */
    public Feed(Callbacks callbacks, Predicate<T> large, UnaryOperator<T> lightened) {
        this.callbacks = callbacks;
        this.large = large;
        this.lightened = lightened;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super T> subscriber) {
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

    /** Calls a consumer for each item until it throws, which is logged and makes the future fail. */
    public CompletableFuture<Void> consume(Consumer<? super T> consumer) {
        CompletableFuture<Void> heard = callbacks.newFuture();
        subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                heard.whenComplete((nothing, failure) -> subscription.cancel());
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(T item) {
                try {
                    consumer.accept(item);
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

    public boolean hasListeners() {
        return !listeners.isEmpty();
    }

    public void tell(T item) {
        listeners.forEach(listener -> listener.offer(item));
    }

    /** Nothing more will come. @param why what failed, if something did */
    public void end(Optional<Throwable> why) {
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
        private final Flow.Subscriber<? super T> subscriber;
        private final Deque<T> waiting = new ArrayDeque<>();
        private long wanted;
        private boolean introduced;
        private boolean impossible;
        private boolean last;
        private Optional<Throwable> failure = Optional.empty();
        private boolean finished;
        private boolean telling;

        private Listener(Flow.Subscriber<? super T> subscriber) {
            this.subscriber = Objects.requireNonNull(subscriber, "subscriber");
        }

        private void offer(T item) {
            synchronized (this) {
                if (finished || last) {
                    return;
                }
                waiting.add(item);
                if (waiting.size() > MOST) {
                    waiting.poll();
                }
                lighten();
            }
            wake();
        }

        private void lighten() {
            List<T> heavy = waiting.stream().filter(large).toList();
            if (heavy.size() > MOST_LARGE) {
                T oldest = heavy.getFirst();
                Deque<T> kept = new ArrayDeque<>(waiting);
                waiting.clear();
                kept.forEach(it -> waiting.add(it == oldest ? lightened.apply(it) : it));
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
                T item = waiting.poll();
                return () -> subscriber.onNext(item);
            }
            finished = true;
            Optional<Throwable> why = failure;
            return () -> why.ifPresentOrElse(subscriber::onError, subscriber::onComplete);
        }
    }
}
