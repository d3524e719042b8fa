package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** The checkpoint's side of a graph: which weights were asked for, and what is wrong with them. */
final class Weights {
    private static final int NAMED_IN_MESSAGE = 5;
    /** A configuration can ask for more layers than memory holds: no model lacks more weights than this by mistake. */
    private static final int MOST_MISSING = 10_000;

    private final String source;
    private final Path folder;
    private final Map<String, StoredWeight> stored;
    private final Map<String, long[]> views = new LinkedHashMap<>();
    private final Map<String, Shape> wanted = new LinkedHashMap<>();
    private final Set<String> missing = new LinkedHashSet<>();
    private final Set<String> misshapen = new LinkedHashSet<>();
    private final Set<String> unreadable = new LinkedHashSet<>();

    Weights(String source, Path folder, Map<String, StoredWeight> stored) {
        this.source = source;
        this.folder = folder.toAbsolutePath().normalize();
        this.stored = stored;
    }

    boolean has(String name) {
        return stored.containsKey(name);
    }

    OptionalInt rank(String name) {
        return has(name) ? OptionalInt.of(stored.get(name).shape().rank()) : OptionalInt.empty();
    }

    int rows(String name) {
        return has(name) ? Math.toIntExact(stored.get(name).shape().dim(0)) : 0;
    }

    /**
     * Takes a weight into use. One that is missing or of another shape is noted, and reported with all others later,
     * or at once when there are too many.
     *
     * @param shape what it must be in the checkpoint
     * @param view the same elements as the graph sees them
     * @return its element type
     */
    DataType use(String name, long[] shape, long[] view) {
        wanted.put(name, Shape.of(shape));
        StoredWeight weight = stored.get(name);
        if (weight == null) {
            missing.add(name + " " + Arrays.toString(shape));
            if (missing.size() == MOST_MISSING) {
                check();
            }
            return DataType.FLOAT32;
        }
        if (!weight.shape().equals(Shape.of(shape))) {
            misshapen.add(name + " is " + weight.shape() + " and should be " + Arrays.toString(shape));
        }
        if (weight.type().isEmpty()) {
            unreadable.add(name);
        }
        long[] earlier = views.putIfAbsent(name, view);
        if (earlier != null && !Arrays.equals(earlier, view)) {
            throw new IllegalArgumentException("weight " + name + " is seen as " + Arrays.toString(earlier) + " and as "
                + Arrays.toString(view));
        }
        return weight.type().orElse(DataType.FLOAT32);
    }

    /** @throws GraphException if a weight was missing, of the wrong shape or of a type that engines do not have */
    void check() {
        List<String> complaints = new ArrayList<>();
        if (!missing.isEmpty()) {
            complaints.add("lacks " + some(missing) + ", which its configuration asks for");
        }
        if (!misshapen.isEmpty()) {
            complaints.add("has weights of other shapes than its configuration asks for: " + some(misshapen));
        }
        if (!unreadable.isEmpty()) {
            complaints.add("has elements of a type that engines do not take in " + some(unreadable));
        }
        if (!complaints.isEmpty()) {
            throw new GraphException(source + " " + String.join("; it ", complaints));
        }
    }

    private static String some(Set<String> what) {
        String named = String.join(", ", what.stream().limit(NAMED_IN_MESSAGE).toList());
        int more = what.size() - NAMED_IN_MESSAGE;
        return more > 0 ? what.size() + " weights (" + named + " and " + more + " more)" : named;
    }

    /** Everything that was asked for, there or not. */
    Map<String, Shape> wanted() {
        return wanted;
    }

    /** The checkpoint's tensors that nothing asked for. */
    List<String> ignored() {
        return stored.keySet().stream().filter(name -> !views.containsKey(name)).toList();
    }

    /** All weights in use, as references to the checkpoint's files. */
    List<TensorProto> references() {
        List<TensorProto> references = new ArrayList<>();
        views.forEach((name, view) -> references.add(reference(name, stored.get(name), view)));
        return references;
    }

    private TensorProto reference(String name, StoredWeight weight, long[] view) {
        Path file = weight.file().toAbsolutePath().normalize();
        if (!file.startsWith(folder)) {
            throw new GraphException("weight " + name + " is in " + file + ", outside the folder " + folder);
        }
        DataType type = weight.type().orElseThrow();
        TensorProto.Builder reference = TensorProto.newBuilder().setName(name)
            .setDataType(ElementType.of(type).code()).addAllDims(Arrays.stream(view).boxed().toList());
        if (weight.values().isPresent()) {
            return reference.setRawData(weight.values().get()).build();
        }
        return reference.setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", folder.relativize(file).toString().replace('\\', '/')))
            .addExternalData(entry("offset", Long.toString(weight.offset())))
            .addExternalData(entry("length", Long.toString(weight.shape().elements() * type.bytes())))
            .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
