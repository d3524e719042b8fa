package dev.slipstream.bridge;

/** A graph of a device whose calls may fail. */
record FaultyGraph(CapturedGraph real, FaultyDevice device) implements CapturedGraph {
    @Override
    public void close() {
        real.close();
    }
}
