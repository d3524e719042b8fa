package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import com.google.protobuf.UnsafeByteOperations;
import dev.slipstream.pipelines.graph.ExternalData;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;

/** Rounds the weights of one model. It remembers the large ones, so that graphs for several sizes share them. */
final class NarrowWeights {
    /** Smaller ones cost nothing to round again, and shape folding makes new ones for each size. */
    private static final int REMEMBERED_BYTES = 1 << 14;

    private final Precision precision;
    private final Map<TensorProto, Optional<TensorProto>> rounded = new IdentityHashMap<>();

    NarrowWeights(Precision precision) {
        this.precision = precision;
    }

    static boolean isExternal(TensorProto weight) {
        return weight.getDataLocation() == DataLocation.EXTERNAL;
    }

    /** Whether the narrow type holds all values of a weight of the graph, float32 or a half. */
    boolean fit(Graph graph, TensorProto weight) {
        return of(graph, weight).isPresent();
    }

    /**
     * The weight in the narrow type, under its name; one in another file as it is.
     *
     * @param weight float32, float16 or bfloat16
     * @return empty if the narrow type does not hold a value
     */
    synchronized Optional<TensorProto> of(Graph graph, TensorProto weight) {
        Optional<TensorProto> known = rounded.get(weight);
        if (known == null) {
            known = isExternal(weight) ? fittingExternal(graph, weight) : round(weight);
            if (isExternal(weight) || weight.getSerializedSize() >= REMEMBERED_BYTES) {
                rounded.put(weight, known);
            }
        }
        return known;
    }

    private Optional<TensorProto> fittingExternal(Graph graph, TensorProto weight) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = ExternalData.map(graph, weight, arena);
            if (isZero(bytes)) {
                return Optional.of(weight);
            }
            StoredFloats values = StoredFloats.of(weight, bytes);
            for (long i = 0; i < values.size(); i++) {
                if (!precision.holds(values.at(i))) {
                    return Optional.empty();
                }
            }
            return Optional.of(weight);
        }
    }

    /** Hollow models have nothing else, and comparing bytes is far quicker than to look at each number. */
    private static boolean isZero(MemorySegment bytes) {
        return bytes.byteSize() > 0 && bytes.get(ValueLayout.JAVA_BYTE, 0) == 0
            && bytes.asSlice(1).mismatch(bytes.asSlice(0, bytes.byteSize() - 1)) < 0;
    }

    private Optional<TensorProto> round(TensorProto weight) {
        StoredFloats values = StoredFloats.of(weight);
        ByteBuffer narrow = ByteBuffer.allocate(Math.toIntExact(values.size() * Short.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < values.size(); i++) {
            float value = values.at(i);
            if (!precision.holds(value)) {
                return Optional.empty();
            }
            narrow.putShort(precision.bits(value));
        }
        return Optional.of(TensorProto.newBuilder().setName(weight.getName()).addAllDims(weight.getDimsList())
            .setDataType(ElementType.of(precision.type()).code())
            .setRawData(UnsafeByteOperations.unsafeWrap(narrow.array())).build());
    }
}
