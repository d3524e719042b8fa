package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.lora.LoraKey.Role;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Puts the tensors of a LoRA file together to layers. */
final class LoraReader {
    /** Far more than any module's. */
    private static final int LONGEST_NAME = 1000;

    private final SafetensorsFile file;
    private final AdapterSettings settings;
    private final Map<LoraTarget, LayerParts> layers = new LinkedHashMap<>();
    private final List<String> unknown = new ArrayList<>();

    /** @param textEncoder which of the two is meant by names that do not say */
    LoraReader(SafetensorsFile file, AdapterSettings settings, Component textEncoder) {
        this.file = file;
        this.settings = settings;
        if (file.metadata().containsKey("_quantization_metadata")) {
            throw new ModelException(file.path() + " is quantised with scales, which is not supported for LoRAs; take "
                + "it in fp16 or bf16");
        }
        Set<String> prefixes = new HashSet<>();
        for (String name : file.tensors().keySet()) {
            if (name.length() > LONGEST_NAME) {
                throw new ModelException(file.path() + " is no LoRA file: a tensor's name has " + name.length()
                    + " characters");
            }
            LoraKey.parse(name, textEncoder).ifPresentOrElse(key -> {
                prefixes.add(key.prefix());
                put(key, name);
            }, () -> unknown.add(name));
        }
        unknown.forEach(name -> refuseParts(name, prefixes));
    }

    private void put(LoraKey key, String name) {
        String other = layers.computeIfAbsent(key.target(),
            target -> new LayerParts(file, key.module(), new EnumMap<>(Role.class))).names()
            .putIfAbsent(key.role(), name);
        if (other != null) {
            throw new ModelException(file.path() + ": " + other + " and " + name + " mean the same");
        }
    }

    /** What changes a layer together with something that is understood must not be left out, whatever it is. */
    private void refuseParts(String name, Set<String> prefixes) {
        UnsupportedPart.of(name).filter(part -> part.isOfAdapter() || !layers.isEmpty()).ifPresent(part -> {
            throw new ModelException(file.path() + ": " + name + " is part of " + part.method()
                + ", which is not supported");
        });
        for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            if (prefixes.contains(name.substring(0, dot))) {
                throw new ModelException(file.path() + ": " + name + " belongs to a layer whose change is not "
                    + "understood without it; supported are LoRA, LoCon, LoHa, LoKr, DoRA and full differences");
            }
        }
    }

    /** Tensors that belong to no layer. */
    List<String> unknown() {
        return unknown;
    }

    Map<LoraTarget, LoraLayer> layers() {
        Map<LoraTarget, LoraLayer> all = new LinkedHashMap<>();
        layers.forEach((target, parts) -> all.put(target, layer(parts)));
        return all;
    }

    private LoraLayer layer(LayerParts parts) {
        Factors factors = parts.factors();
        Optional<Decomposition> decomposition = parts.decomposition();
        String name = factors.tensors().getFirst().name();
        settings.check(parts.module(), name, factors, decomposition.isPresent());
        double scale = parts.number(Role.SCALAR).orElse(1.0) * scale(parts, factors);
        if (!Double.isFinite(scale)) {
            throw new ModelException(file.path() + ": the scale of " + name + " is not finite");
        }
        return new LoraLayer(factors, scale, decomposition);
    }

    /** Alpha by the rank. Where nothing is factored, alpha says nothing, but PEFT's settings do. */
    private double scale(LayerParts parts, Factors factors) {
        Optional<Double> alpha = parts.number(Role.ALPHA);
        if (factors instanceof Factors.Full) {
            return 1;
        }
        return alpha.map(value -> factors.rank().isPresent() ? value / factors.rank().getAsLong() : 1)
            .orElseGet(() -> settings.scale(parts.module(), factors.rank()));
    }
}
