package dev.slipstream.pipelines.model.weights;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.FileTensor.Coding;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tensors of a file of any format that is read, mapped into memory: safetensors, where numbers of eight bits may
 * have scales beside them, or GGUF. What only says how others are stored is no tensor of its own.
 *
 * <p>The owner closes it; then its tensors can no longer be read. Any thread may read or close.
 */
public final class TensorFile implements AutoCloseable {
    private static final int MAGIC_BYTES = 4;

    private final Path path;
    private final Map<String, FileTensor> tensors;
    private final String architecture;
    private final Runnable unmap;
    private boolean closed;

    private TensorFile(Path path, Map<String, FileTensor> tensors, String architecture, Runnable unmap) {
        this.path = path;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.architecture = architecture;
        this.unmap = unmap;
    }

    /**
     * @throws ModelException if the file is missing, of no such format, or damaged, or has numbers that are stored in a
     *     way that is not read
     */
    public static TensorFile open(Path path) {
        if (Pickle.is(path.toString())) {
            throw Pickle.refused(path);
        }
        try {
            return GgufHeader.isGguf(InputFile.head(path, MAGIC_BYTES)) ? gguf(path) : safetensors(path);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    private static TensorFile gguf(Path path) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = InputFile.open(path)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            GgufHeader header = GgufHeader.parse(path, file);
            Map<String, FileTensor> tensors = new LinkedHashMap<>();
            header.entries().forEach((name, entry) -> {
                StoredType plain = GgufHeader.plainType(entry.code());
                tensors.put(name, new FileTensor(entry.shape(), plain != null ? new Coding.Plain(plain)
                    : new Coding.Blocks(BlockFormat.of(entry.code()).orElseThrow()),
                    file.asSlice(entry.begin(), entry.bytes()), entry.begin()));
            });
            return new TensorFile(path, tensors, header.architecture(), arena::close);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static TensorFile safetensors(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        try {
            return new TensorFile(path, new Float8Scales(file).tensors(), "", file::close);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /** By name, in the file's order. */
    public Map<String, FileTensor> tensors() {
        return tensors;
    }

    /** What a GGUF file calls the kind of its model, such as {@code flux}; empty for others. */
    public String architecture() {
        return architecture;
    }

    /** @throws ModelException if there is no tensor of this name */
    public FileTensor tensor(String name) {
        FileTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelException(path + " has no tensor \"" + SafetensorsHeader.shortened(name) + "\" among its "
                + tensors.size());
        }
        return tensor;
    }

    /** Unmaps the file. Closing twice is harmless. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            unmap.run();
        }
    }

    /**
     * The scales of a safetensors file's numbers of eight bits, in the two spellings that ComfyUI writes:
     *
     * <pre>
     *     X.weight with X.scale_weight, and the marker scaled_fp8
     *     X.weight with X.weight_scale, and in the header _quantization_metadata: {"layers": {"X": {"format": ...}}}
     * </pre>
     *
     * A value is the number times the scale, in fp32. Scales of what goes into a layer do not concern weights.
     */
    private record Float8Scales(SafetensorsFile file) {
        private static final String WEIGHT = ".weight";
        private static final String METADATA = "_quantization_metadata";
        private static final Set<String> MARKERS = Set.of("scaled_fp8");
        private static final Set<String> OF_INPUTS = Set.of(".scale_input", ".input_scale");
        private static final Set<String> OF_WEIGHTS = Set.of(".scale_weight", ".weight_scale");
        private static final Set<String> FORMATS = Set.of("float8_e4m3fn", "float8_e5m2");

        /** The tensors with their scales, and without what only says how they are stored. @throws ModelException */
        Map<String, FileTensor> tensors() {
            checkMetadata();
            Map<String, FileTensor> tensors = new LinkedHashMap<>();
            file.tensors().forEach((name, tensor) -> {
                if (!isAboutOthers(name)) {
                    tensors.put(name, new FileTensor(tensor.shape(), coding(name, tensor), tensor.data(),
                        file.offset(name)));
                }
            });
            return tensors;
        }

        private boolean isAboutOthers(String name) {
            String last = name.substring(name.lastIndexOf('.') + 1);
            if (MARKERS.contains(last) && file.tensor(name).shape().elements() <= 2) {
                return true;
            }
            return ending(OF_INPUTS, name).isPresent() || ending(OF_WEIGHTS, name)
                .filter(ending -> isThere(name.substring(0, name.length() - ending.length()) + WEIGHT)).isPresent();
        }

        private static Optional<String> ending(Set<String> endings, String name) {
            return endings.stream().filter(name::endsWith).findFirst();
        }

        private boolean isThere(String name) {
            return file.tensors().containsKey(name);
        }

        private Coding coding(String name, StoredTensor tensor) {
            StoredType type = tensor.type();
            boolean isFloat8 = type == StoredType.F8_E4M3 || type == StoredType.F8_E5M2;
            Optional<Float> scale = scale(name);
            if (scale.isPresent() && !isFloat8) {
                throw new ModelException(file.path() + ": " + SafetensorsHeader.shortened(name) + " has a scale "
                    + "and the type " + type + ", which is not read; F8_E4M3 and F8_E5M2 with scales are");
            }
            if (!isFloat8) {
                return new Coding.Plain(type);
            }
            return scale.<Coding>map(factor -> new Coding.ScaledFloat8(type, factor))
                .orElseGet(() -> new Coding.Float8(type));
        }

        private Optional<Float> scale(String name) {
            if (!name.endsWith(WEIGHT)) {
                return Optional.empty();
            }
            String module = name.substring(0, name.length() - WEIGHT.length());
            Set<String> there = OF_WEIGHTS.stream().map(module::concat).filter(this::isThere)
                .collect(Collectors.toSet());
            if (there.size() > 1) {
                throw new ModelException(file.path() + ": " + String.join(" and ", there.stream().sorted().toList())
                    + " say one thing in two ways");
            }
            return there.stream().findFirst().map(this::number);
        }

        private float number(String name) {
            StoredTensor scale = file.tensor(name);
            if (scale.shape().elements() != 1 || !scale.type().isFloatingPoint()) {
                throw new ModelException(file.path() + ": " + SafetensorsHeader.shortened(name) + " " + scale.type()
                    + scale.shape() + " is not one number; scales of rows or blocks are not read");
            }
            return scale.toFloats()[0];
        }

        /** Every layer that the header calls quantised has its scale, and no other format than fp8. */
        private void checkMetadata() {
            String text = file.metadata().get(METADATA);
            if (text == null) {
                return;
            }
            try {
                if (!(JsonText.parse(text) instanceof JsonObject root)) {
                    throw damaged("is no JSON object");
                }
                ConfigFile layers = new ConfigFile(file.path(), root).object("layers")
                    .orElseThrow(() -> damaged("has no layers"));
                for (String layer : layers.root().keySet()) {
                    String format = layers.object(layer).flatMap(it -> it.text("format")).orElse("");
                    if (!FORMATS.contains(format)) {
                        throw damaged("has " + SafetensorsHeader.shortened(layer) + " in the format "
                            + SafetensorsHeader.shortened(format) + ", which is not read; float8_e4m3fn and "
                            + "float8_e5m2 are");
                    }
                    if (isThere(layer + WEIGHT) && scale(layer + WEIGHT).isEmpty()) {
                        throw damaged("has " + SafetensorsHeader.shortened(layer)
                            + ", for which there is no weight_scale");
                    }
                }
            } catch (IOException | JsonParseException | IllegalStateException e) {
                throw new ModelException(file.path() + ": " + METADATA + " in its header is no valid JSON", e);
            }
        }

        private ModelException damaged(String complaint) {
            return new ModelException(file.path() + ": " + METADATA + " in its header " + complaint);
        }
    }
}
