package dev.slipstream.pipelines.run;

/** Bytes of a program's buffer. */
public record Region(int buffer, long offset, long bytes) {
    @Override
    public String toString() {
        return "b" + buffer + (offset == 0 ? "" : "+" + offset);
    }
}
