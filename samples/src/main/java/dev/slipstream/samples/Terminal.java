package dev.slipstream.samples;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/** Where a command writes. All text passes {@link Printable}, whoever prints it. */
public final class Terminal {
    private static final String WIPE = "\r\033[K";

    private final PrintWriter out;
    private final PrintWriter err;
    private final Writer screen;
    private final BooleanSupplier watched;

    /**
     * @param out results
     * @param err complaints, progress
     * @param watched whether someone watches {@code err}, so that progress is worth drawing; asked late, as it takes
     *     time
     */
    public Terminal(Writer out, Writer err, BooleanSupplier watched) {
        this.out = new PrintWriter(new Printable.Lines(out), true);
        this.err = new PrintWriter(new Printable.Lines(err), true);
        this.screen = err;
        this.watched = watched;
    }

    /** The standard streams of this process; unlike those of {@link System}, they say what cannot be written. */
    public static Terminal ofProcess() {
        return new Terminal(writer(FileDescriptor.out, System.out.charset()),
            writer(FileDescriptor.err, System.err.charset()),
            () -> System.console() != null && System.console().isTerminal());
    }

    /** Without a locale a terminal is taken for one of ASCII, and most are of UTF-8. */
    private static Writer writer(FileDescriptor stream, Charset charset) {
        return new OutputStreamWriter(new FileOutputStream(stream),
            charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset);
    }

    public PrintWriter out() {
        return out;
    }

    public PrintWriter err() {
        return err;
    }

    boolean isWatched() {
        return watched.getAsBoolean();
    }

    /** Draws the line anew on which the cursor is. */
    void redraw(String line) {
        PrintWriter to = new PrintWriter(screen);
        to.print(WIPE + Printable.line(line));
        to.flush();
    }
}
