package dev.slipstream.pipelines.graph.tensor;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.TensorSizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Constants to and from the messages of ONNX files. */
public final class ConstantProtos {
    private ConstantProtos() {
    }

    /**
     * Type of a stored tensor; empty for element types that are not handled.
     *
     * @throws GraphException if its dimensions make no sense
     */
    public static Optional<ValueType> type(TensorProto tensor) {
        TensorSizes.checkDimensions(tensor);
        long[] dims = tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
        return ElementType.ofCode(tensor.getDataType()).map(element -> new ValueType(element, Shape.of(dims)));
    }

    /** Values of a stored tensor; empty if it is large, kept in another file, or of a type that is not handled. */
    public static Optional<Constant> read(TensorProto tensor) {
        boolean elsewhere = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
        return type(tensor).filter(type -> !elsewhere && type.elements() <= Constant.MOST_ELEMENTS)
            .map(type -> Constant.of(type, words(tensor, type)));
    }

    private static long[] words(TensorProto tensor, ValueType type) {
        int count = Math.toIntExact(type.elements());
        long[] words = new long[count];
        boolean raw = tensor.hasRawData();
        int stored = raw ? tensor.getRawData().size() / type.element().bytes() : fieldCount(tensor, type.element());
        if (stored != count) {
            throw new GraphException("tensor '" + tensor.getName() + "' is " + type + " but holds " + stored
                + " elements; the file is damaged");
        }
        ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            words[i] = raw ? rawWord(bytes, type.element()) : fieldWord(tensor, type.element(), i);
        }
        return words;
    }

    private static int fieldCount(TensorProto tensor, ElementType element) {
        return switch (element) {
            case FLOAT32 -> tensor.getFloatDataCount();
            case FLOAT64 -> tensor.getDoubleDataCount();
            case INT64 -> tensor.getInt64DataCount();
            default -> tensor.getInt32DataCount();
        };
    }

    private static long fieldWord(TensorProto tensor, ElementType element, int index) {
        return switch (element) {
            case FLOAT32 -> Double.doubleToRawLongBits(tensor.getFloatData(index));
            case FLOAT64 -> Double.doubleToRawLongBits(tensor.getDoubleData(index));
            case INT64 -> tensor.getInt64Data(index);
            case FLOAT16 -> half((short) tensor.getInt32Data(index));
            case BFLOAT16 -> brainHalf((short) tensor.getInt32Data(index));
            default -> element.wrap(tensor.getInt32Data(index));
        };
    }

    private static long rawWord(ByteBuffer bytes, ElementType element) {
        return switch (element) {
            case FLOAT32 -> Double.doubleToRawLongBits(bytes.getFloat());
            case FLOAT64 -> Double.doubleToRawLongBits(bytes.getDouble());
            case FLOAT16 -> half(bytes.getShort());
            case BFLOAT16 -> brainHalf(bytes.getShort());
            case INT64 -> bytes.getLong();
            case INT32 -> bytes.getInt();
            case INT16, UINT16 -> element.wrap(bytes.getShort());
            case INT8, UINT8, BOOL -> element.wrap(bytes.get());
        };
    }

    private static long half(short bits) {
        return Double.doubleToRawLongBits(Float.float16ToFloat(bits));
    }

    private static long brainHalf(short bits) {
        return Double.doubleToRawLongBits(Float.intBitsToFloat(bits << 16));
    }

    /** A weight with the values of a constant that {@linkplain Constant#isSmall is small}. */
    public static TensorProto write(String name, Constant constant) {
        ElementType element = constant.type().element();
        int count = constant.elements();
        ByteBuffer bytes = ByteBuffer.allocate(count * element.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            switch (element) {
                case FLOAT32 -> bytes.putFloat((float) constant.real(i));
                case FLOAT64 -> bytes.putDouble(constant.real(i));
                case FLOAT16 -> bytes.putShort(Float.floatToFloat16((float) constant.real(i)));
                case BFLOAT16 -> bytes.putShort((short) BFloat16.ofFloat((float) constant.real(i)));
                case INT64 -> bytes.putLong(constant.word(i));
                case INT32 -> bytes.putInt((int) constant.word(i));
                case INT16, UINT16 -> bytes.putShort((short) constant.word(i));
                case INT8, UINT8, BOOL -> bytes.put((byte) constant.word(i));
            }
        }
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(element.code());
        for (long dim : constant.type().dims()) {
            tensor.addDims(dim);
        }
        return tensor.setRawData(ByteString.copyFrom(bytes.flip())).build();
    }

    /** The tensor that a Constant node holds in one of its attributes; empty for strings and sparse tensors. */
    public static Optional<TensorProto> ofConstantNode(NodeProto node) {
        String output = node.getOutput(0);
        for (AttributeProto attribute : node.getAttributeList()) {
            TensorProto.Builder tensor = TensorProto.newBuilder().setName(output);
            switch (attribute.getName()) {
                case "value" -> {
                    return Optional.of(attribute.getT().toBuilder().setName(output).build());
                }
                case "value_int" -> tensor.setDataType(ElementType.INT64.code()).addInt64Data(attribute.getI());
                case "value_ints" -> tensor.setDataType(ElementType.INT64.code()).addDims(attribute.getIntsCount())
                    .addAllInt64Data(attribute.getIntsList());
                case "value_float" -> tensor.setDataType(ElementType.FLOAT32.code()).addFloatData(attribute.getF());
                case "value_floats" -> tensor.setDataType(ElementType.FLOAT32.code())
                    .addDims(attribute.getFloatsCount()).addAllFloatData(attribute.getFloatsList());
                default -> {
                    continue;
                }
            }
            return Optional.of(tensor.build());
        }
        return Optional.empty();
    }

    /** The one element of a tensor attribute such as ConstantOfShape's {@code value}. */
    public static Constant scalar(TensorProto tensor) {
        return read(tensor).filter(constant -> constant.elements() == 1)
            .map(constant -> constant.reshaped(constant.type().withDims()))
            .orElseThrow(() -> new GraphException("tensor attribute '" + tensor.getName() + "' is not one number"));
    }

    /** The value of a weight that is one real number, of any rank; empty for others and those in another file. */
    public static OptionalDouble real(TensorProto weight) {
        return read(weight).filter(constant -> constant.type().element().isReal() && constant.type().elements() == 1)
            .map(constant -> OptionalDouble.of(constant.real(0))).orElse(OptionalDouble.empty());
    }

    /** A weight that is a list of integers, such as the shape for a Reshape. */
    public static TensorProto integers(String name, List<Long> values) {
        return write(name, Constant.of(ValueType.of(ElementType.INT64, values.size()),
            values.stream().mapToLong(Long::longValue).toArray()));
    }
}
