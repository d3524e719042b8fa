package dev.slipstream.bridge;

/** The element type of a tensor, as engines see it. */
public enum DataType {
    FLOAT32(4), FLOAT16(2), BFLOAT16(2), INT64(8), INT32(4), BOOL(1);

    private final int bytes;

    DataType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
