package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.Progress;
import java.util.Locale;

/** One line on a terminal that is drawn again with every step, and wiped in the end. */
final class ProgressBar {
    private static final int CELLS = 30;

    private final Terminal to;
    private final String title;
    private final long start = System.nanoTime();

    /** @param title before the bar; may be empty */
    ProgressBar(Terminal to, String title) {
        this.to = to;
        this.title = title;
        to.redraw(title + "getting ready");
    }

    void show(Progress progress) {
        int full = (int) ((long) CELLS * progress.step() / progress.steps());
        to.redraw(String.format(Locale.ROOT, "%s[%s%s] %d/%d  %.1f s", title, "#".repeat(full),
            ".".repeat(CELLS - full), progress.step(), progress.steps(), (System.nanoTime() - start) / 1e9));
    }

    void wipe() {
        to.redraw("");
    }
}
