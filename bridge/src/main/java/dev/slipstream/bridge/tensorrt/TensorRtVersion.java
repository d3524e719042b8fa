package dev.slipstream.bridge.tensorrt;

/** A version of TensorRT, like {@code 10.15.1.29}. Engines load only where all four numbers are the same. */
record TensorRtVersion(int major, int minor, int patch, int build) {
    /** @param encoded what {@code getInferLibVersion} returns: 10.15.1 is 101501; before version 10, 8.6.1 is 8601 */
    static TensorRtVersion of(int encoded, int build) {
        if (encoded < 10_000) {
            return new TensorRtVersion(encoded / 1000, encoded / 100 % 10, encoded % 100, build);
        }
        return new TensorRtVersion(encoded / 10_000, encoded / 100 % 100, encoded % 100, build);
    }

    /** Whether the slots of this version are known. 10.0 lacks some that came with 10.1. */
    boolean isKnown() {
        return major == 11 || major == 10 && minor >= 1;
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch + "." + build;
    }
}
