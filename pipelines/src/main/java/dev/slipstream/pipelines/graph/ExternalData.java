package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Weights that lie in other files: {@code TensorProto.external_data} with the keys location, offset and length
 * (ONNX, "External Tensor Data").
 */
public final class ExternalData {
    /** How ONNX Runtime names memory of its own process: older versions would read from wherever a file says. */
    private static final String MEMORY = "*/_ORT_";

    private ExternalData() {
    }

    /** A run of bytes in a file. @param length -1 if the model does not say it */
    record Range(String location, long offset, long length) {
    }

    static Optional<Range> range(TensorProto weight) {
        if (weight.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
            return Optional.empty();
        }
        Map<String, String> entries = new HashMap<>();
        for (StringStringEntryProto entry : weight.getExternalDataList()) {
            entries.put(entry.getKey(), entry.getValue());
        }
        return Optional.of(new Range(entries.getOrDefault("location", ""), number(weight, entries.get("offset"), 0),
            number(weight, entries.get("length"), -1)));
    }

    private static long number(TensorProto weight, String text, long otherwise) {
        if (text == null || text.isBlank()) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(text.strip());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException bad) {
            // Said below, with the weight's name.
        }
        throw new GraphException("weight '" + weight.getName() + "' lies at '" + text + "' of its file, which is no "
            + "offset or length");
    }

    /** Every external weight lies inside the model's folder, in a file that is there and long enough. */
    static void check(Graph graph) {
        Map<Path, Long> sizes = new HashMap<>();
        for (TensorProto weight : graph.weights().values()) {
            Optional<Range> range = range(weight);
            if (range.isPresent()) {
                check(weight, range.get(), inside(folder(graph, weight), range.get().location(), weight), sizes);
            }
        }
    }

    private static void check(TensorProto weight, Range range, Path file, Map<Path, Long> sizes) {
        long size = sizes.computeIfAbsent(file, path -> {
            try {
                return Files.isRegularFile(path) ? Files.size(path) : -1;
            } catch (IOException failed) {
                throw new GraphException("cannot read " + path + ": " + failed, failed);
            }
        });
        if (size < 0) {
            throw new GraphException("weight '" + weight.getName() + "' is in " + file
                + ", which is missing; it belongs beside the model");
        }
        long bytes = Math.max(0, TensorSizes.bytes(weight));
        long length = range.length() >= 0 ? range.length() : bytes;
        if (length < bytes) {
            throw new GraphException("weight '" + weight.getName() + "' has dimensions " + weight.getDimsList()
                + ", that is " + bytes + " bytes, but only " + length + " of " + file);
        }
        if (range.offset() > size || length > size - range.offset()) {
            throw new GraphException("weight '" + weight.getName() + "' needs bytes " + range.offset() + " to "
                + (range.offset() + length) + " of " + file + ", which has only " + size);
        }
    }

    /**
     * The bytes of a weight that lies in another file, as many as its dimensions say, mapped for reading.
     *
     * @param arena how long they stay mapped
     * @throws GraphException if the weight is not external, or its file is missing or too short
     */
    public static MemorySegment map(Graph graph, TensorProto weight, Arena arena) {
        Range range = range(weight).orElseThrow(() ->
            new GraphException("weight '" + weight.getName() + "' lies in the model, not in another file"));
        Path file = inside(folder(graph, weight), range.location(), weight);
        check(weight, range, file, new HashMap<>());
        try (FileChannel channel = InputFile.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, range.offset(), TensorSizes.bytes(weight), arena);
        } catch (IOException failed) {
            throw new GraphException(failed.getMessage(), failed);
        }
    }

    private static Path inside(Path folder, String location, TensorProto weight) {
        try {
            Path file = folder.resolve(location).normalize();
            if (!location.isBlank() && file.startsWith(folder.normalize()) && !Path.of(location).isAbsolute()
                && !location.startsWith(MEMORY)) {
                return file;
            }
        } catch (InvalidPathException bad) {
            // Said below, with the weight's name.
        }
        throw new GraphException("weight '" + weight.getName() + "' is in '" + location
            + "', which is not inside the model's folder");
    }

    /** The files of all external weights, by the locations under which the graph knows them; they may be links. */
    static Map<String, Path> files(Graph graph) {
        Map<String, Path> files = new TreeMap<>();
        for (TensorProto weight : graph.weights().values()) {
            range(weight).ifPresent(range -> files.computeIfAbsent(range.location(),
                location -> inside(folder(graph, weight), location, weight)));
        }
        return files;
    }

    private static Path folder(Graph graph, TensorProto weight) {
        return graph.folder().orElseThrow(() -> new GraphException("weight '" + weight.getName()
            + "' is external, but the graph comes from no folder"));
    }

    /**
     * A weight of a graph as one of a graph in another folder, which has all its files.
     *
     * @param other absolute; empty if no graph has a folder
     */
    public static TensorProto relativeTo(Optional<Path> other, Graph graph, TensorProto weight) {
        return range(weight).map(range -> at(weight, other.orElseThrow().relativize(
            inside(folder(graph, weight).toAbsolutePath(), range.location(), weight)))).orElse(weight);
    }

    /** The same weight in a file of another name. @param location relative to the graph's folder */
    static TensorProto at(TensorProto weight, Path location) {
        TensorProto.Builder moved = weight.toBuilder();
        moved.getExternalDataBuilderList().stream().filter(entry -> entry.getKey().equals("location"))
            .forEach(entry -> entry.setValue(location.toString().replace('\\', '/')));
        return moved.build();
    }

    /** Makes the files of a graph's external weights available beside a new file of the graph, under the same names. */
    static void place(Graph graph, Path onnx) throws IOException {
        check(graph);
        for (Map.Entry<String, Path> file : files(graph).entrySet()) {
            Path target = onnx.resolveSibling(file.getKey()).normalize();
            if (target.equals(onnx)) {
                throw new GraphException("cannot write " + onnx + ": it holds weights of the graph");
            }
            // A link to a symbolic link would keep its relative target, so what it points to is linked.
            link(file.getValue().toRealPath(), target);
        }
    }

    private static void link(Path source, Path target) throws IOException {
        if (Files.exists(target)) {
            if (!Files.isSameFile(source, target) && Files.mismatch(source, target) >= 0) {
                throw new GraphException(target + " exists and differs from the weights in " + source
                    + "; write the model into another folder");
            }
            return;
        }
        Files.createDirectories(target.getParent());
        try {
            Files.createLink(target, source);
        } catch (IOException | UnsupportedOperationException notHere) {
            AtomicFile.write(target, channel -> {
                try (InputStream in = InputFile.stream(source)) {
                    in.transferTo(Channels.newOutputStream(channel));
                }
            });
        }
    }
}
