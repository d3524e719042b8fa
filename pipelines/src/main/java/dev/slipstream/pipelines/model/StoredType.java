package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.DataType;
import java.util.Optional;

/** Element types of the safetensors format that are read here, with the format's own names. */
public enum StoredType {
    F64(8, null), F32(4, DataType.FLOAT32), F16(2, DataType.FLOAT16), BF16(2, DataType.BFLOAT16),
    I64(8, DataType.INT64), I32(4, DataType.INT32), U8(1, null), BOOL(1, DataType.BOOL);

    private final int bytes;
    private final DataType dataType;

    StoredType(int bytes, DataType dataType) {
        this.bytes = bytes;
        this.dataType = dataType;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** The same type as engines see it; empty for {@link #F64} and {@link #U8}. */
    public Optional<DataType> dataType() {
        return Optional.ofNullable(dataType);
    }
}
