package dev.slipstream.samples.terminal;

import java.util.Locale;

/**
 * How far the work on pictures is, on the standard error output: on a terminal one line that is drawn again with every
 * step, and wiped in the end; elsewhere some plain lines. One thread at a time.
 */
public final class ProgressDisplay implements AutoCloseable {
    private static final int CELLS = 30;
    private static final int LINES = 10;

    private enum Form {
        NONE, DRAWN, LINES
    }

    private final Terminal terminal;
    private final Form form;
    private final int lines;
    private String title = "";
    private long start = System.nanoTime();
    private boolean begun;

    /**
     * @param shown whether there is any
     * @param single whether there is one title only, which then has some plain lines; each of several has one
     */
    public ProgressDisplay(Terminal terminal, boolean shown, boolean single) {
        this.terminal = terminal;
        this.form = !shown ? Form.NONE : terminal.isWatched() ? Form.DRAWN : Form.LINES;
        this.lines = single ? LINES : 1;
    }

    /** A picture is drawn from now on. @param name before the steps, like {@code picture 2 of 3}; may be empty */
    public void begin(String name) {
        if (!begun) {
            begun = true;
            print("getting ready");
        }
        title = name;
        start = System.nanoTime();
        redraw((title + " getting ready").strip());
    }

    /** A step is done. */
    public void show(int step, int steps) {
        if (form == Form.LINES && (long) step * lines / steps == (long) (step - 1) * lines / steps) {
            return;
        }
        String time = String.format(Locale.ROOT, "%.1f s", (System.nanoTime() - start) / 1e9);
        int full = (int) ((long) CELLS * step / steps);
        redraw((title + " [" + "#".repeat(full) + ".".repeat(CELLS - full) + "] " + step + "/" + steps + "  " + time)
            .strip());
        print((title.isEmpty() ? "" : title + ", ") + "step " + step + " of " + steps + ", " + time);
    }

    private void redraw(String line) {
        if (form == Form.DRAWN) {
            terminal.redraw(line);
        }
    }

    private void print(String line) {
        if (form == Form.LINES) {
            terminal.err().println("slipstream: " + line);
        }
    }

    /** Wipes the line; once. */
    @Override
    public void close() {
        if (begun) {
            begun = false;
            redraw("");
        }
    }
}
