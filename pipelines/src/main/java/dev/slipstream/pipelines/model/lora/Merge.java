package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.ComponentWeights;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.StoredType;
import dev.slipstream.pipelines.model.TensorOutline;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Works out changed weights, one at a time, from files that are open meanwhile. */
final class Merge implements AutoCloseable {
    private final ComponentWeights base;
    private final Map<String, List<Change>> changes;
    private final Map<Path, SafetensorsFile> loras = new HashMap<>();

    private Merge(ComponentWeights base, Map<String, List<Change>> changes) {
        this.base = base;
        this.changes = changes;
    }

    static Merge open(Checkpoint checkpoint, Map<String, List<Change>> changes) {
        Merge merge = new Merge(ComponentWeights.open(checkpoint.folder()), changes);
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

    /** The weight and all that is added to it in float32, rounded once to the type of the weight. */
    private StoredTensor merged(String name) {
        StoredTensor tensor = base.tensor(name);
        if (!Set.of(StoredType.F32, StoredType.F16, StoredType.BF16).contains(tensor.type())) {
            throw new ModelException(base.file(name) + ": " + name + " has the type " + tensor.type()
                + ", into which LoRAs cannot be merged; F32, F16 and BF16 can be changed");
        }
        float[] weight = tensor.toFloats();
        List<Rows> all = changes.get(name).stream().map(change -> change.layer()
            .rows(loras.get(change.lora().path()), weight, tensor.shape(), change.weight())).toList();
        int outputs = Math.toIntExact(tensor.shape().dim(0));
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
        if (Magnitudes.largest(weight) >= Magnitudes.limit(tensor.type())) {
            throw new ModelException("with " + changes.get(name).stream().map(change -> change.lora().path().toString())
                .distinct().collect(Collectors.joining(" and ")) + ", " + name + " of " + base.file(name)
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
