package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.ExternalData;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights that are stored as halves and computed with as float32, written out as float32. An engine does the same when
 * it is built, but in memory, where it then has both. Values stay the same, as float32 has all halves.
 */
public final class WideWeights {
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Weights begin at multiples of this, so that each can be mapped and read in whole vectors. */
    private static final int ALIGNMENT = 4096;
    private static final int CHUNK = 1 << 16;

    private final Graph graph;
    private final String location;
    private final FileChannel channel;
    private final short[] halves = new short[CHUNK];
    private final int[] floats = new int[CHUNK];
    private final ByteBuffer bytes =
        ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private WideWeights(Graph graph, String location, FileChannel channel) {
        this.graph = graph;
        this.location = location;
        this.channel = channel;
    }

    /** Whether the graph casts weights that lie in other files from a half to float32. */
    public static boolean areIn(Graph graph) {
        return graph.nodes().stream().anyMatch(node -> widens(graph, node));
    }

    private static boolean widens(Graph graph, NodeProto node) {
        if (!node.getOpType().equals("Cast") || !Nodes.isStandard(node)) {
            return false;
        }
        TensorProto weight = graph.weights().get(node.getInput(0));
        return weight != null && NarrowWeights.isExternal(weight) && StoredFloats.isHalf(weight.getDataType())
            && Nodes.integer(node, "to", DataType.FLOAT_VALUE) == DataType.FLOAT_VALUE;
    }

    /**
     * Writes all weights that lie in other files into one: as float32 those that the graph casts, the others as they
     * are. It takes little memory.
     *
     * @param file a new file
     * @return the same graph without these casts, with its weights in the file
     * @throws GraphException if weights cannot be read
     * @throws IOException if the file cannot be written
     */
    public static Graph write(Graph graph, Path file) throws IOException {
        try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            return new WideWeights(graph, file.getFileName().toString(), channel).write(file.toAbsolutePath());
        }
    }

    private Graph write(Path file) throws IOException {
        Map<String, TensorProto> weights = new LinkedHashMap<>(graph.weights());
        List<NodeProto> nodes = new ArrayList<>();
        for (NodeProto node : graph.nodes()) {
            if (widens(graph, node)) {
                weights.put(node.getOutput(0), widened(node.getOutput(0), graph.weights().get(node.getInput(0))));
            } else {
                nodes.add(node);
            }
        }
        Graph wide = GraphPruner.prune(graph.with(graph.inputs(), graph.outputs(), nodes, weights));
        Map<String, TensorProto> placed = new LinkedHashMap<>(wide.weights());
        for (Map.Entry<String, TensorProto> weight : placed.entrySet()) {
            // What has been widened is new; all else is the graph's own.
            if (graph.weights().get(weight.getKey()) == weight.getValue()
                && NarrowWeights.isExternal(weight.getValue())) {
                weight.setValue(copied(weight.getValue()));
            }
        }
        return wide.withWeights(file.getParent(), placed);
    }

    private TensorProto widened(String name, TensorProto half) throws IOException {
        boolean brain = half.getDataType() == DataType.BFLOAT16_VALUE;
        long begin = align();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = ExternalData.map(graph, half, arena);
            long size = stored.byteSize() / Short.BYTES;
            for (long done = 0; done < size; done += CHUNK) {
                int count = (int) Math.min(CHUNK, size - done);
                MemorySegment.copy(stored, SHORT, done * Short.BYTES, halves, 0, count);
                for (int i = 0; i < count; i++) {
                    floats[i] = brain ? halves[i] << 16 : Float.floatToRawIntBits(Float.float16ToFloat(halves[i]));
                }
                bytes.clear().asIntBuffer().put(floats, 0, count);
                append(bytes.limit(count * Float.BYTES));
            }
        }
        return placed(half, begin).setName(name).setDataType(DataType.FLOAT_VALUE).build();
    }

    private TensorProto copied(TensorProto weight) throws IOException {
        long begin = align();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = ExternalData.map(graph, weight, arena);
            for (long done = 0; done < stored.byteSize(); done += bytes.capacity()) {
                append(stored.asSlice(done, Math.min(bytes.capacity(), stored.byteSize() - done)).asByteBuffer());
            }
        }
        return placed(weight, begin).build();
    }

    private long align() throws IOException {
        channel.position((channel.position() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        return channel.position();
    }

    private void append(ByteBuffer part) throws IOException {
        while (part.hasRemaining()) {
            channel.write(part);
        }
    }

    private TensorProto.Builder placed(TensorProto weight, long begin) throws IOException {
        return TensorProto.newBuilder().setName(weight.getName()).setDataType(weight.getDataType())
            .addAllDims(weight.getDimsList()).setDataLocation(DataLocation.EXTERNAL)
            .addExternalData(entry("location", location)).addExternalData(entry("offset", Long.toString(begin)))
            .addExternalData(entry("length", Long.toString(channel.position() - begin)));
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
