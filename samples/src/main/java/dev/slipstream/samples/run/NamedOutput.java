package dev.slipstream.samples.run;

/**
 * An output as it is called here.
 *
 * @param tensor the graph's output that it is read from
 */
record NamedOutput(String name, String tensor, Reading reading) {
    /** An output that has the graph's own name. */
    static NamedOutput of(String name) {
        return new NamedOutput(name, name, Reading.WHOLE);
    }
}
