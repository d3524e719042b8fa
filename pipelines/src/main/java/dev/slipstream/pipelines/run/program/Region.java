package dev.slipstream.pipelines.run.program;

/** Bytes of a program's buffer. */
public record Region(int buffer, long offset, long bytes) {
    @Override
    public String toString() {
        return "b" + buffer + (offset == 0 ? "" : "+" + offset);
    }
}
