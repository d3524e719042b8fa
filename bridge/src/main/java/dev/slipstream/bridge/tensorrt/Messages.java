package dev.slipstream.bridge.tensorrt;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The last warnings and errors, so that exceptions can tell what TensorRT said. TensorRT logs from threads of its own,
 * so what is said while one call runs may belong to another that runs at the same time. Any thread may use it.
 */
final class Messages {
    private static final int KEPT = 16;
    private static final int LONGEST = 600;

    private record Message(long number, String text) {
    }

    private final Deque<Message> recent = new ArrayDeque<>();
    private long count;

    synchronized void add(String text) {
        String line = text.strip().replaceAll("\\s*\\R\\s*", " ");
        if (recent.size() == KEPT) {
            recent.removeFirst();
        }
        recent.addLast(new Message(count, line.length() > LONGEST ? line.substring(0, LONGEST) + "…" : line));
        count++;
    }

    /** Now, for {@link #since}. */
    synchronized long mark() {
        return count;
    }

    /** What was said after a mark, one line each, at most the last few. */
    synchronized List<String> since(long mark) {
        return recent.stream().filter(message -> message.number() >= mark).map(Message::text).distinct().toList();
    }
}
