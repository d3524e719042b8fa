package dev.slipstream.pipelines.model.weights;

import com.google.protobuf.ByteString;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter.TensorOutline;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The weights of a component as views of a file's tensors.
 *
 * <p>Where all tensors of a component are stored as they are computed with, its weights stay in the file; what is made
 * of parts of others there, a few of the small ones, goes into the graph. Where values must be computed first, those of
 * the whole component are, once, and are kept in the {@link WeightStore}, a piece at a time, so that the heap holds
 * none of them.
 *
 * @param file open as long as this is used
 * @param views by the names that the component has them under
 */
public record ViewedWeights(TensorFile file, Map<String, TensorView> views) {
    private static final String COMPUTED = "weights.safetensors";
    /** Must be raised when the same file gives other values than before. */
    private static final String FORMULAS = "values 1 ";
    private static final Logger LOG = LoggerFactory.getLogger(ViewedWeights.class);

    public ViewedWeights {
        views = Collections.unmodifiableMap(new LinkedHashMap<>(views));
    }

    /** A component that has the file's tensors under their own names. */
    public static ViewedWeights all(TensorFile file) {
        Map<String, TensorView> views = new LinkedHashMap<>();
        file.tensors().forEach((name, tensor) -> views.put(name, TensorView.Runs.whole(name, tensor.shape())));
        return new ViewedWeights(file, views);
    }

    /** The weights, and what keeps those of them that were computed: the caller closes it after their last use. */
    public record Opened(Checkpoint checkpoint, Optional<WeightStore.Claim> claim) {
    }

    /** With computed weights in the type that holds them exactly. @throws ModelException as the other */
    public Opened open(WeightStore store) {
        return open(store, StoredType.F32);
    }

    /**
     * @param half the type of matrices that are computed, where they are computed with in it; F32 where not
     * @throws ModelException if weights must be computed and cannot be kept
     */
    public Opened open(WeightStore store, StoredType half) {
        ViewReader reader = new ViewReader(file);
        if (views.values().stream().allMatch(view -> file.tensor(view.tensor()).isPlain())) {
            return new Opened(inFile(reader), Optional.empty());
        }
        try {
            WeightStore.Claim claim = store.claim(id(half), folder -> {
                LOG.info("computing the weights of {}, which are kept in {}", file.path(), store.folder());
                write(folder.resolve(COMPUTED), half);
            });
            try (SafetensorsFile computed = SafetensorsFile.open(claim.merge().resolve(COMPUTED))) {
                Map<String, StoredWeight> weights = new LinkedHashMap<>();
                computed.tensors().forEach((name, tensor) -> weights.put(name, new StoredWeight(computed.path(),
                    computed.offset(name), tensor.type().dataType(), tensor.shape())));
                return new Opened(new Checkpoint(file.path(), claim.merge(), weights), Optional.of(claim));
            } catch (RuntimeException e) {
                claim.close();
                throw e;
            }
        } catch (IOException e) {
            throw new ModelException("cannot keep the computed weights of " + file.path() + ": "
                + FileFailure.reason(e), e);
        }
    }

    private Checkpoint inFile(ViewReader reader) {
        Path path = file.path().toAbsolutePath().normalize();
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        views.forEach((name, view) -> {
            StoredType type = reader.type(view);
            weights.put(name, view instanceof TensorView.Runs runs && reader.isInFile(runs)
                ? new StoredWeight(path, reader.offset(runs), type.dataType(), view.shape())
                : new StoredWeight(path, 0, type.dataType(), view.shape(),
                    Optional.of(ByteString.copyFrom(reader.whole(view).asByteBuffer()))));
        });
        return new Checkpoint(path, path.getParent(), weights);
    }

    /** Writes them as safetensors, each in the type that holds its values exactly. @throws ModelException */
    public void write(Path target) {
        write(target, StoredType.F32);
    }

    private void write(Path target, StoredType half) {
        ViewReader reader = new ViewReader(file);
        Map<String, TensorOutline> outlines = new LinkedHashMap<>();
        views.forEach((name, view) -> outlines.put(name,
            new TensorOutline(isHalved(view) ? half : reader.type(view), view.shape())));
        SafetensorsWriter.writePieces(target, outlines, name -> {
            Stream<MemorySegment> pieces = reader.pieces(views.get(name));
            return isHalved(views.get(name)) && half != StoredType.F32 ? pieces.map(it -> rounded(it, half)) : pieces;
        }, Map.of("format", "pt"));
    }

    /** Vectors are small, and some of them are sensitive. */
    private boolean isHalved(TensorView view) {
        FileTensor tensor = file.tensor(view.tensor());
        return !tensor.isPlain() && tensor.type() == StoredType.F32 && view.shape().rank() > 1;
    }

    private static MemorySegment rounded(MemorySegment floats, StoredType half) {
        Shape shape = Shape.of(floats.byteSize() / Float.BYTES);
        return StoredTensor.of(half, shape, new StoredTensor(StoredType.F32, shape, floats).toFloats()).data();
    }

    private String id(StoredType half) throws IOException {
        // Reading gigabytes takes too long; a change of the file changes its time, too.
        Path real = file.path().toRealPath();
        StringBuilder all = new StringBuilder(FORMULAS).append(half).append(' ').append(real)
            .append(' ').append(Files.size(real)).append(' ')
            .append(Files.getLastModifiedTime(real));
        views.forEach((name, view) -> all.append('\n').append(name).append(' ').append(view));
        return Sha256.of(all.toString());
    }

    /** Reads the values of views of a file's tensors, a bounded piece at a time. */
    private record ViewReader(TensorFile file) {
        /** So many values are computed at once: they take 64 MiB as float32. */
        private static final long PIECE = 16 << 20;

        /** The type of what comes out: that of the tensor's values. */
        StoredType type(TensorView view) {
            return file.tensor(view.tensor()).type();
        }

        /** Whether the values are one run of bytes in the file. */
        boolean isInFile(TensorView view) {
            return view instanceof TensorView.Runs runs && runs.runs().size() == 1
                && file.tensor(view.tensor()).isPlain();
        }

        /** Where the first byte is. @param view that {@link #isInFile} */
        long offset(TensorView.Runs view) {
            FileTensor tensor = file.tensor(view.tensor());
            return tensor.offset() + view.runs().getFirst().first() * tensor.type().bytes();
        }

        /** The values, row-major, piece by piece. */
        Stream<MemorySegment> pieces(TensorView view) {
            return switch (view) {
                case TensorView.Runs it -> it.runs().stream().flatMap(run -> pieces(file.tensor(it.tensor()), run));
                case TensorView.Transposed it -> Stream.of(transposed(it));
                case TensorView.Identity it -> Stream.of(identity(it));
            };
        }

        /** All values at once. */
        MemorySegment whole(TensorView view) {
            MemorySegment whole = MemorySegment.ofArray(
                new byte[Math.toIntExact(view.shape().elements() * type(view).bytes())]);
            long at = 0;
            for (MemorySegment piece : pieces(view).toList()) {
                MemorySegment.copy(piece, 0, whole, at, piece.byteSize());
                at += piece.byteSize();
            }
            return whole;
        }

        private static Stream<MemorySegment> pieces(FileTensor tensor, TensorView.Run run) {
            if (tensor.isPlain()) {
                return Stream.of(tensor.values(run.first(), run.count()));
            }
            return LongStream.iterate(0, begin -> begin < run.count(), begin -> begin + PIECE)
                .mapToObj(begin -> tensor.values(run.first() + begin, Math.min(PIECE, run.count() - begin)));
        }

        private MemorySegment transposed(TensorView.Transposed view) {
            long rows = view.shape().dim(0);
            long columns = view.shape().dim(1);
            int size = type(view).bytes();
            MemorySegment from = file.tensor(view.tensor()).values(0, rows * columns);
            MemorySegment to = MemorySegment.ofArray(new byte[Math.toIntExact(rows * columns * size)]);
            for (long row = 0; row < rows; row++) {
                for (long column = 0; column < columns; column++) {
                    MemorySegment.copy(from, (column * rows + row) * size, to, (row * columns + column) * size, size);
                }
            }
            return to;
        }

        private MemorySegment identity(TensorView.Identity view) {
            int width = Math.toIntExact(view.shape().dim(0));
            float[] values = new float[Math.multiplyExact(width, width)];
            for (int i = 0; i < width; i++) {
                values[i * width + i] = 1;
            }
            return StoredTensor.of(type(view), view.shape(), values).data();
        }
    }
}
