package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts the tensors of a LoRA file together to layers. */
final class LoraReader {
    private final SafetensorsFile file;
    private final AdapterSettings settings;
    private final Map<LoraTarget, Map<LoraKey.Role, String>> names = new LinkedHashMap<>();
    private final List<String> unknown = new ArrayList<>();

    LoraReader(SafetensorsFile file) {
        this.file = file;
        this.settings = AdapterSettings.read(file.path(), file.metadata());
        for (String name : file.tensors().keySet()) {
            LoraKey.parse(name).ifPresentOrElse(key -> put(key, name), () -> unknown.add(name));
        }
    }

    private void put(LoraKey key, String name) {
        String other = names.computeIfAbsent(key.target(), target -> new EnumMap<>(LoraKey.Role.class))
            .putIfAbsent(key.role(), name);
        if (other != null) {
            throw new ModelException(file.path() + ": " + other + " and " + name + " mean the same");
        }
    }

    /** Tensors that belong to no layer. */
    List<String> unknown() {
        return unknown;
    }

    Map<LoraTarget, LoraLayer> layers() {
        Map<LoraTarget, LoraLayer> layers = new LinkedHashMap<>();
        names.forEach((target, roles) -> layers.put(target, layer(target, roles)));
        return layers;
    }

    private LoraLayer layer(LoraTarget target, Map<LoraKey.Role, String> roles) {
        String down = roles.get(LoraKey.Role.DOWN);
        String up = roles.get(LoraKey.Role.UP);
        if (down == null || up == null) {
            throw new ModelException(file.path() + ": " + String.join(" and ", roles.values())
                + (down == null && up == null ? " has no factors" : " has no other factor") + "; the file is damaged");
        }
        StoredTensor downTensor = file.tensor(down);
        StoredTensor upTensor = file.tensor(up);
        LoraLayer layer = new LoraLayer(down, downTensor.shape(), up, upTensor.shape(), 1);
        if (!layer.isConsistent()) {
            throw new ModelException(file.path() + ": " + down + " " + downTensor.shape() + " and " + up + " "
                + upTensor.shape() + " are not of one rank");
        }
        return new LoraLayer(down, downTensor.shape(), up, upTensor.shape(),
            scale(target, roles.get(LoraKey.Role.ALPHA), layer.rank()));
    }

    private double scale(LoraTarget target, String alpha, int rank) {
        if (alpha == null) {
            return settings.alpha(target.component()).orElse(rank) / rank;
        }
        StoredTensor tensor = file.tensor(alpha);
        double value = tensor.shape().elements() == 1 ? tensor.toFloats()[0] : Double.NaN;
        if (!Double.isFinite(value)) {
            throw new ModelException(file.path() + ": " + alpha + " " + tensor.shape() + " must be one finite number");
        }
        return value / rank;
    }
}
