package dev.slipstream.samples;

import java.io.PrintWriter;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/** Prints each warning once, however many pictures, plans and pipelines it comes from. Any thread may use it. */
public final class WarningsOnce implements Consumer<String> {
    private final PrintWriter err;
    private final Set<String> printed = new HashSet<>();

    public WarningsOnce(PrintWriter err) {
        this.err = err;
    }

    @Override
    public synchronized void accept(String warning) {
        if (printed.add(warning)) {
            err.println("slipstream: warning: " + Printable.line(warning));
            err.flush();
        }
    }
}
