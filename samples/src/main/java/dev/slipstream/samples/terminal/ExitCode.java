package dev.slipstream.samples.terminal;

/** The exit codes of the process. */
public final class ExitCode {
    /** All went well. */
    public static final int OK = 0;
    /** It failed while working. */
    public static final int FAILED = 1;
    /** Wrong usage or input; no work was done. */
    public static final int WRONG_USAGE = 2;
    /** Cancelled by Ctrl-C: 128 and the number of SIGINT, as shells have it. */
    public static final int CANCELLED = 130;

    private ExitCode() {
    }
}
