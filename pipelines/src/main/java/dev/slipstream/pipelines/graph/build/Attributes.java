package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Attributes of one node. Immutable. */
public final class Attributes {
    public static final Attributes NONE = new Attributes(List.of());

    private final List<AttributeProto> protos;

    private Attributes(List<AttributeProto> protos) {
        this.protos = List.copyOf(protos);
    }

    public Attributes integer(String name, long value) {
        return with(AttributeProto.newBuilder().setName(name).setType(AttributeType.INT).setI(value));
    }

    public Attributes integers(String name, long... values) {
        return with(AttributeProto.newBuilder().setName(name).setType(AttributeType.INTS)
            .addAllInts(Arrays.stream(values).boxed().toList()));
    }

    public Attributes real(String name, double value) {
        return with(AttributeProto.newBuilder().setName(name).setType(AttributeType.FLOAT).setF((float) value));
    }

    public Attributes text(String name, String value) {
        return with(AttributeProto.newBuilder().setName(name).setType(AttributeType.STRING)
            .setS(ByteString.copyFromUtf8(value)));
    }

    private Attributes with(AttributeProto.Builder attribute) {
        List<AttributeProto> all = new ArrayList<>(protos);
        all.add(attribute.build());
        return new Attributes(all);
    }

    /** As nodes have them. */
    public List<AttributeProto> protos() {
        return protos;
    }
}
