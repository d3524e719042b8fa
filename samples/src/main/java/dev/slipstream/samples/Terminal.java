package dev.slipstream.samples;

import java.io.PrintWriter;
import java.util.function.BooleanSupplier;

/**
 * Where a command writes.
 *
 * @param out results
 * @param err complaints, progress
 * @param watched whether someone watches {@code err}, so that progress is worth drawing; asked late, as it takes time
 */
public record Terminal(PrintWriter out, PrintWriter err, BooleanSupplier watched) {
    /** The standard streams of this process. */
    public static Terminal ofProcess() {
        return new Terminal(new PrintWriter(System.out, true), new PrintWriter(System.err, true),
            () -> System.console() != null && System.console().isTerminal());
    }
}
