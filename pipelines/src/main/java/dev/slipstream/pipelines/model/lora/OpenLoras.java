package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.lora.Lora.WeightedLora;
import dev.slipstream.pipelines.model.lora.LoraLayer.Decomposition;
import dev.slipstream.pipelines.model.lora.OpenLoras.MergedCheckpoint.Change;
import dev.slipstream.pipelines.model.original.OriginalPlaces.Place;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.CheckpointTensors;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter.TensorOutline;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The LoRAs of an open model. What is merged for it stays on disk until this is closed.
 *
 * <p><b>Threads:</b> any.
 */
public final class OpenLoras implements AutoCloseable {
    private static final Set<Component> CHANGEABLE =
        Set.of(Component.TEXT_ENCODER, Component.TEXT_ENCODER_2, Component.TEXT_ENCODER_3, Component.DENOISER);

    private static final int NAMED_IN_MESSAGE = 3;

    private static final Logger LOG = LoggerFactory.getLogger(OpenLoras.class);

    private final List<WeightedLora> list;
    private final WeightStore store;
    private final boolean lenient;
    private final List<WeightStore.Claim> claims = new ArrayList<>();

    /** As {@link Loras} describes them. */
    OpenLoras(List<WeightedLora> list, WeightStore store, boolean lenient) {
        this.list = list;
        this.store = store;
        this.lenient = lenient;
    }

    /** The LoRAs that were asked for. */
    public List<WeightedLora> list() {
        return list;
    }

    /**
     * The model with all changes to it, which are made when its checkpoints are opened.
     *
     * @throws ModelException if a LoRA changes a component that the model does not have as a checkpoint, or has tensors
     *     that belong to no layer
     */
    public ModelFolder mergedInto(ModelFolder model) {
        Component t5 = model.t5().orElse(LoraTarget.T5);
        check(CHANGEABLE.stream().filter(it -> model.format(meant(it, t5)) == ComponentFormat.CHECKPOINT)
            .collect(Collectors.toSet()));
        return model.withChanges((component, base) -> open(component, base, t5));
    }

    /** @param components those of the model that come from checkpoints */
    void check(Set<Component> components) {
        for (WeightedLora weighted : list) {
            Lora lora = weighted.lora();
            if (!lora.unknown().isEmpty()) {
                leaveOut(lora, "has what belongs to no layer that is understood", lora.unknown());
            }
            lora.components().stream().filter(it -> !components.contains(it)).sorted().findFirst().ifPresent(it -> {
                String what = lora.path() + " changes the " + it.name().toLowerCase(Locale.ROOT).replace('_', ' ')
                    + ", which this model does not have as a checkpoint (config.json and safetensors)";
                if (!lenient) {
                    throw new ModelException(what + "; take such a model, or ignore what does not fit");
                }
                LOG.warn("{}; this is left out", what);
            });
        }
    }

    /**
     * Opens a component's checkpoint with all changes to it. The files in {@code folder} stay as they are; where
     * nothing changes, the result is just what {@link Checkpoint#open} gives.
     *
     * @throws ModelException if the checkpoint cannot be opened, does not fit, or the merged weights cannot be kept
     */
    public Checkpoint open(Component component, Path folder) {
        return open(component, Checkpoint.open(folder));
    }

    /** The component of a model that files call so. @param t5 which of its text encoders is a T5 */
    private static Component meant(Component component, Component t5) {
        return component == LoraTarget.T5 ? t5 : component;
    }

    /** The same for a checkpoint that is open. */
    public Checkpoint open(Component component, Checkpoint base) {
        return open(component, base, LoraTarget.T5);
    }

    private Checkpoint open(Component component, Checkpoint base, Component t5) {
        Map<String, List<Change>> changes = changes(component, base, t5);
        if (changes.isEmpty()) {
            return base;
        }
        MergedCheckpoint merged = new MergedCheckpoint(component, base, changes);
        WeightStore.Claim claim = merged.claim(store);
        synchronized (claims) {
            claims.add(claim);
        }
        return merged.open(claim.merge());
    }

    private Map<String, List<Change>> changes(Component component, Checkpoint base, Component t5) {
        LayerNames names = new LayerNames(component, base.weights().keySet());
        Map<String, List<Change>> changes = new LinkedHashMap<>();
        for (WeightedLora weighted : list) {
            Lora lora = weighted.lora();
            List<String> missing = new ArrayList<>();
            Map<String, LoraLayer> changed = new LinkedHashMap<>();
            lora.layers().forEach((target, layer) -> {
                if (meant(target.component(), t5) != component) {
                    return;
                }
                List<Place> places = names.places(target);
                if (places.isEmpty()) {
                    missing.add(layer.name());
                }
                for (Place place : places) {
                    LoraLayer other = changed.put(place.tensor(), layer);
                    if (other != null) {
                        throw new ModelException(lora.path() + ": " + other.name() + " and " + layer.name()
                            + " both change " + place.tensor());
                    }
                    Change change = new Change(lora, layer, weighted.weight(), place);
                    change.checkFits(base.weights().get(place.tensor()).shape());
                    if (!change.isNothing()) {
                        changes.computeIfAbsent(place.tensor(), it -> new ArrayList<>()).add(change);
                    }
                }
            });
            if (!missing.isEmpty()) {
                leaveOut(lora, "changes layers that " + base.source() + " does not have", missing);
            }
        }
        return changes;
    }

    /** Warns that a part of a LoRA is left out or, unless that is allowed, refuses the LoRA. */
    private void leaveOut(Lora lora, String what, List<String> names) {
        List<String> some = names.stream().limit(NAMED_IN_MESSAGE).toList();
        String message = lora.path() + " " + what + ": " + String.join(", ", some)
            + (names.size() > some.size() ? " and " + (names.size() - some.size()) + " more" : "");
        if (!lenient) {
            throw new ModelException(message
                + "; it is for another model, or can be used in part by ignoring what does not fit");
        }
        LOG.warn("{}; this is left out", message);
    }

    @Override
    public void close() {
        synchronized (claims) {
            claims.forEach(WeightStore.Claim::close);
            claims.clear();
        }
    }

    /**
     * A checkpoint with changes: a folder with the changed weights in a file of their own, and beside it the
     * checkpoint's files, since engines refuse weights outside one folder. They are linked, or copied where links are
     * not possible.
     *
     * @param changes by the name of the weight
     */
    record MergedCheckpoint(Component component, Checkpoint base, Map<String, List<Change>> changes) {
        private static final String CHANGED = "changed.safetensors";
        /** Must be raised when the same files are merged into other weights than before. */
        private static final String FORMULAS = "2 ";

        /**
         * The change of one weight by one LoRA.
         *
         * @param weight the factor that the user wants it with
         * @param place the part of the layer's weight that it is
         */
        record Change(Lora lora, LoraLayer layer, double weight, Place place) {
            /** @throws ModelException if the weight has another shape */
            void checkFits(Shape shape) {
                if (!layer.fits(whole(shape))) {
                    String tensors = Stream.concat(layer.factors().tensors().stream(),
                        layer.decomposition().stream().map(Decomposition::lengths))
                        .map(Factors.Factor::toString).collect(Collectors.joining(" and "));
                    throw new ModelException(lora.path() + " is for another model: " + tensors + " do not fit "
                        + place.tensor() + " " + shape);
                }
                if (place.total() > 1 && layer.decomposition().filter(it -> it.isPerInput(whole(shape))).isPresent()) {
                    throw new ModelException(lora.path() + ": " + layer.name() + " is a DoRA with lengths per input of "
                        + "layers that lie stacked in the original layout, which is not supported");
                }
            }

            /** The shape of the layer's weight. @param part of this one */
            private Shape whole(Shape part) {
                long[] dims = part.toArray();
                if (place.total() > 1) {
                    dims[0] = dims[0] / place.shares() * place.total();
                }
                return Shape.of(dims);
            }

            /** What is added to this weight. @param adapter its file, open */
            Rows rows(SafetensorsFile adapter, float[] base, Shape shape) {
                int rows = Math.toIntExact(shape.dim(0));
                return layer.rows(adapter, base, whole(shape), weight, row -> {
                    int swapped = place.swapped() ? (row + rows / 2) % rows : row;
                    return rows / place.shares() * place.first() + swapped;
                });
            }

            boolean isNothing() {
                return weight == 0 || layer.changesNothing();
            }
        }

        /** The folder, which is made unless it exists; its name follows from everything that goes into it. */
        WeightStore.Claim claim(WeightStore store) {
            try {
                Map<Path, String> links = links();
                return store.claim(name(links), folder -> write(folder, links));
            } catch (IOException e) {
                throw new ModelException("cannot merge LoRAs into " + base.source() + ": " + e.getMessage(), e);
            }
        }

        /** What the checkpoint's files are called in the new folder. */
        private Map<Path, String> links() {
            Map<Path, String> links = new LinkedHashMap<>();
            for (StoredWeight weight : base.weights().values()) {
                links.computeIfAbsent(weight.file(), file -> "base-" + links.size() + ".safetensors");
            }
            return links;
        }

        private String name(Map<Path, String> links) throws IOException {
            StringBuilder all = new StringBuilder(FORMULAS).append(component.name());
            for (Path file : links.keySet()) {
                // Reading gigabytes takes too long; a change of the file changes its time, too.
                Path real = file.toRealPath();
                all.append('\n').append(real).append(' ').append(Files.size(real)).append(' ')
                    .append(Files.getLastModifiedTime(real));
            }
            changes.forEach((name, list) -> list.forEach(change -> all.append('\n').append(name).append(' ')
                .append(change.lora().hash()).append(' ').append(change.layer()).append(' ').append(change.weight())
                .append(change.place().total() > 1 || change.place().swapped() ? change.place() : "")));
            return Sha256.of(all.toString());
        }

        private void write(Path folder, Map<Path, String> links) throws IOException {
            for (Map.Entry<Path, String> link : links.entrySet()) {
                link(link.getKey().toRealPath(), folder.resolve(link.getValue()));
            }
            try (Merge merge = Merge.open(base, changes)) {
                merge.write(folder.resolve(CHANGED));
            }
        }

        private static void link(Path file, Path link) throws IOException {
            try {
                Files.createLink(link, file);
            } catch (IOException | UnsupportedOperationException notHere) {
                Files.copy(file, link);
            }
        }

        /** @param folder that was claimed */
        Checkpoint open(Path folder) {
            Map<Path, String> links = links();
            Map<String, StoredWeight> weights = new LinkedHashMap<>();
            try (SafetensorsFile changed = SafetensorsFile.open(folder.resolve(CHANGED))) {
                base.weights().forEach((name, weight) -> weights.put(name, changes.containsKey(name)
                    ? new StoredWeight(changed.path(), changed.offset(name), weight.type(), weight.shape())
                    : new StoredWeight(folder.resolve(links.get(weight.file())), weight.offset(), weight.type(),
                        weight.shape(), weight.values())));
            }
            return new Checkpoint(base.source(), folder, weights);
        }

        /** Computes the changed weights, one at a time, from files that stay open meanwhile. */
        private static final class Merge implements AutoCloseable {
            private final Checkpoint checkpoint;
            private final CheckpointTensors base;
            private final Map<String, List<Change>> changes;
            private final Map<Path, SafetensorsFile> loras = new HashMap<>();

            private Merge(Checkpoint checkpoint, Map<String, List<Change>> changes) {
                this.checkpoint = checkpoint;
                this.base = new CheckpointTensors(checkpoint);
                this.changes = changes;
            }

            static Merge open(Checkpoint checkpoint, Map<String, List<Change>> changes) {
                Merge merge = new Merge(checkpoint, changes);
                try {
                    changes.values().forEach(list -> list.forEach(change ->
                        merge.loras.computeIfAbsent(change.lora().path(), SafetensorsFile::open)));
                    return merge;
                } catch (RuntimeException e) {
                    merge.close();
                    throw e;
                }
            }

            void write(Path file) {
                Map<String, TensorOutline> outlines = new LinkedHashMap<>();
                changes.keySet().forEach(name ->
                    outlines.put(name, new TensorOutline(base.tensor(name).type(), base.tensor(name).shape())));
                SafetensorsWriter.write(file, outlines, name -> merged(name).data(), Map.of("format", "pt"));
            }

            private Path file(String name) {
                return checkpoint.weights().get(name).file();
            }

            /** Adds all changes to the weight in float32, and rounds once to the type of the weight. */
            private StoredTensor merged(String name) {
                StoredTensor tensor = base.tensor(name);
                if (!Set.of(StoredType.F32, StoredType.F16, StoredType.BF16).contains(tensor.type())) {
                    throw new ModelException(file(name) + ": " + name + " has the type " + tensor.type()
                        + ", into which LoRAs cannot be merged; F32, F16 and BF16 can be changed");
                }
                float[] weight = tensor.toFloats();
                int outputs = Math.toIntExact(tensor.shape().dim(0));
                List<Rows> all = changes.get(name).stream()
                    .map(change -> change.rows(loras.get(change.lora().path()), weight, tensor.shape())).toList();
                float[] sum = new float[weight.length / outputs];
                for (int row = 0; row < outputs; row++) {
                    Arrays.fill(sum, 0);
                    for (Rows rows : all) {
                        rows.addTo(sum, row);
                    }
                    int start = row * sum.length;
                    for (int i = 0; i < sum.length; i++) {
                        weight[start + i] += sum[i];
                    }
                }
                if (Rows.Magnitudes.largest(weight) >= Rows.Magnitudes.limit(tensor.type())) {
                    String adapters = changes.get(name).stream()
                        .map(change -> change.lora().path().toString()).distinct()
                        .collect(Collectors.joining(" and "));
                    throw new ModelException("with " + adapters + ", " + name + " of " + file(name)
                        + " becomes larger than a number " + tensor.type() + " can be; take less of it");
                }
                return StoredTensor.of(tensor.type(), tensor.shape(), weight);
            }

            @Override
            public void close() {
                loras.values().forEach(SafetensorsFile::close);
                base.close();
            }
        }
    }
}
