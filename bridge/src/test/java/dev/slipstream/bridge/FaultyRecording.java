package dev.slipstream.bridge;

/** A recording of a device whose calls may fail. */
record FaultyRecording(Recording real, FaultyDevice device) implements Recording {
    @Override
    public void close() {
        real.close();
    }
}
