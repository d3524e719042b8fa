package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Graphs in ONNX files.
 *
 * <p>Weights that a model keeps in other files ("external data") are never read here, only referred to, so a model of
 * many gigabytes opens in milliseconds. Every error is a {@link GraphException} that names the file.
 */
public final class GraphFile {
    /** What a protobuf message can hold, less some room for nodes. */
    private static final long MOST_INLINE_BYTES = Integer.MAX_VALUE - (64L << 20);
    /** What an array can hold, which is a little less than a protobuf message. */
    private static final long MOST_BYTES = Integer.MAX_VALUE - 8;
    private static final int HEAD = 64;
    /** How an ONNX file starts: field 1 of the message, the IR version, as a varint. */
    private static final int IR_VERSION_TAG = 0x08;

    private GraphFile() {
    }

    /**
     * Reads an ONNX file and checks that the files of its external data are there and long enough.
     *
     * @throws GraphException if the file is missing, damaged, no ONNX model, or too old, or external data is no part of
     *     the model, by its name or by a link
     */
    public static Graph read(Path onnx) {
        checkKind(onnx);
        Path folder = onnx.toAbsolutePath().getParent();
        try {
            Graph graph = GraphProtos.read(parse(InputFile.bytes(onnx, MOST_BYTES)), Optional.of(folder));
            ExternalData.check(graph);
            LinkedWeights.check(graph, onnx);
            return graph;
        } catch (InvalidProtocolBufferException damaged) {
            throw new GraphException(onnx + " is truncated or damaged: " + damaged.getMessage(), damaged);
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        } catch (GraphException bad) {
            throw new GraphException(onnx + ": " + bad.getMessage(), bad);
        }
    }

    /** Refuses what people take for an ONNX file and is none, before a parser stumbles over it. */
    private static void checkKind(Path file) {
        byte[] head;
        long size;
        try {
            head = InputFile.head(file, HEAD);
            size = Files.size(file);
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        }
        if (head.length == 0) {
            throw new GraphException(file + " is empty");
        }
        if (size > MOST_BYTES) {
            throw new GraphException(file + " is larger than 2 GiB, which no ONNX file can be; weights beyond that "
                + "belong in external data");
        }
        String text = new String(head, StandardCharsets.ISO_8859_1).stripLeading().toLowerCase(Locale.ROOT);
        if (GitLfs.isPointer(text)) {
            throw new GraphException(GitLfs.advice(file));
        }
        if (text.startsWith("<!doctype") || text.startsWith("<html") || text.startsWith("<?xml")) {
            throw new GraphException(file + " is a web page, not an ONNX file; the download went wrong");
        }
        if (head.length < 2 || head[0] != IR_VERSION_TAG || head[1] <= 0) {
            throw new GraphException(file + " is not an ONNX file");
        }
    }

    /** Weights stay where they were read to, so a file takes its own size of memory once. */
    private static ModelProto parse(byte[] file) throws IOException {
        CodedInputStream in = UnsafeByteOperations.unsafeWrap(file).newCodedInput();
        in.enableAliasing(true);
        ModelProto model = ModelProto.parseFrom(in);
        in.checkLastTagWas(0);
        return model;
    }

    /**
     * Writes a graph as an ONNX file: first to a temporary file beside it, which then takes its place. Files of
     * external data are linked into the new folder, or copied where links are not possible, because engines refuse
     * weights outside the folder of their model.
     *
     * @throws GraphException if that fails, or would replace another file of the same name as the external data
     */
    public static void write(Graph graph, Path onnx) {
        if (Files.isDirectory(onnx)) {
            throw new GraphException("cannot write " + onnx + ": it is a folder");
        }
        ModelProto model = checkedModel(graph, onnx.toString());
        try {
            Files.createDirectories(onnx.toAbsolutePath().getParent());
            ExternalData.place(graph, onnx.toAbsolutePath().normalize());
        } catch (IOException failed) {
            throw new GraphException("cannot write " + onnx + ": " + failed, failed);
        }
        try {
            AtomicFile.write(onnx, channel -> {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                model.writeTo(out);
                out.flush();
            });
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        }
    }

    /**
     * The graph as the bytes of an ONNX file. External data stays references relative to {@link Graph#folder}.
     *
     * @throws GraphException if inline weights are more than one ONNX file can hold (2 GiB)
     */
    public static byte[] serialize(Graph graph) {
        return checkedModel(graph, "the graph").toByteArray();
    }

    /** The same outside the heap, where a graph with weights inside has room. @param arena frees the bytes */
    public static MemorySegment serialize(Graph graph, Arena arena) {
        ModelProto model = checkedModel(graph, "the graph");
        MemorySegment bytes = arena.allocate(model.getSerializedSize(), Long.BYTES);
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(bytes.asByteBuffer());
            model.writeTo(out);
            out.flush();
        } catch (IOException impossible) {
            throw new UncheckedIOException("the message does not have the size that it says", impossible);
        }
        return bytes;
    }

    private static ModelProto checkedModel(Graph graph, String what) {
        long bytes = graph.weights().values().stream().mapToLong(GraphFile::inlineBytes).sum();
        if (bytes > MOST_INLINE_BYTES) {
            throw new GraphException(what + " would hold " + (bytes >> 20) + " MiB of weights, more than the 2 GiB of "
                + "one ONNX file; keep them in external data");
        }
        return GraphProtos.write(graph);
    }

    private static long inlineBytes(TensorProto weight) {
        return weight.getRawData().size() + 4L * weight.getFloatDataCount() + 8L * weight.getDoubleDataCount()
            + 10L * weight.getInt64DataCount() + 10L * weight.getInt32DataCount();
    }
}
