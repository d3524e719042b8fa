package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.ComponentWeights;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.TensorOutline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

    /** {@code W + Σ factor · up · down} in float32, rounded once to the type of W. */
    private StoredTensor merged(String name) {
        StoredTensor tensor = base.tensor(name);
        List<Change.Factors> factors = new ArrayList<>();
        changes.get(name).forEach(change -> factors.add(change.factors(loras.get(change.lora().path()))));
        float[] weight = tensor.toFloats();
        int outputs = Math.toIntExact(tensor.shape().dim(0));
        float[] sum = new float[weight.length / outputs];
        for (int row = 0; row < outputs; row++) {
            Arrays.fill(sum, 0);
            for (Change.Factors each : factors) {
                each.addRow(row, sum);
            }
            int start = row * sum.length;
            for (int i = 0; i < sum.length; i++) {
                weight[start + i] += sum[i];
            }
        }
        return StoredTensor.of(tensor.type(), tensor.shape(), weight);
    }

    @Override
    public void close() {
        loras.values().forEach(SafetensorsFile::close);
        base.close();
    }
}
