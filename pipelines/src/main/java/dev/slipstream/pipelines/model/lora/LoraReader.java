package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
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
    private final Map<LoraTarget, Parts> layers = new LinkedHashMap<>();
    private final List<String> unknown = new ArrayList<>();

    /** The tensors of one layer. */
    private record Parts(LoraTarget.Module module, Map<Role, String> names) {
    }

    LoraReader(SafetensorsFile file, AdapterSettings settings) {
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
            LoraKey.parse(name).ifPresentOrElse(key -> {
                prefixes.add(key.prefix());
                put(key, name);
            }, () -> unknown.add(name));
        }
        unknown.forEach(name -> refuseParts(name, prefixes));
    }

    private void put(LoraKey key, String name) {
        String other = layers.computeIfAbsent(key.target(),
            target -> new Parts(key.module(), new EnumMap<>(Role.class))).names.putIfAbsent(key.role(), name);
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

    private LoraLayer layer(Parts parts) {
        Assembly assembly = new Assembly(file, parts.names);
        Factors factors = assembly.factors();
        Optional<Decomposition> decomposition = assembly.decomposition();
        String name = factors.tensors().getFirst().name();
        settings.check(parts.module, name, factors, decomposition.isPresent());
        double scale = number(parts.names.get(Role.SCALAR)).orElse(1.0)
            * scale(parts.module, factors, number(parts.names.get(Role.ALPHA)));
        if (!Double.isFinite(scale)) {
            throw new ModelException(file.path() + ": the scale of " + name + " is not finite");
        }
        return new LoraLayer(factors, scale, decomposition);
    }

    private double scale(LoraTarget.Module module, Factors factors, Optional<Double> alpha) {
        if (factors instanceof Factors.Full) {
            return 1;
        }
        return alpha.map(value -> factors.rank().isPresent() ? value / factors.rank().getAsLong() : 1)
            .orElseGet(() -> settings.scale(module, factors.rank()));
    }

    private Optional<Double> number(String name) {
        if (name == null) {
            return Optional.empty();
        }
        StoredTensor tensor = file.tensor(name);
        double value;
        try {
            value = tensor.toNumber();
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + name + " must be one number; " + e.getMessage(), e);
        }
        if (!Double.isFinite(value)) {
            throw new ModelException(file.path() + ": " + name + " must be one finite number, not " + value);
        }
        return Optional.of(value);
    }

    /** The factors of one layer, found by their roles. */
    private record Assembly(SafetensorsFile file, Map<Role, String> names) {
        Factors factors() {
            List<Factors> found = new ArrayList<>();
            if (hasAny(Role.DOWN, Role.UP, Role.MID)) {
                found.add(names.containsKey(Role.MID)
                    ? new Factors.Tucker(need(Role.UP), need(Role.MID), need(Role.DOWN), false)
                    : new Factors.LowRank(need(Role.UP), need(Role.DOWN)));
            }
            if (hasAny(Role.HADA_W1_A, Role.HADA_W1_B, Role.HADA_T1, Role.HADA_W2_A, Role.HADA_W2_B, Role.HADA_T2)) {
                found.add(new Factors.Hadamard(product(Role.HADA_W1_A, Role.HADA_T1, Role.HADA_W1_B),
                    product(Role.HADA_W2_A, Role.HADA_T2, Role.HADA_W2_B)));
            }
            if (hasAny(Role.LOKR_W1, Role.LOKR_W1_A, Role.LOKR_W1_B, Role.LOKR_W2, Role.LOKR_W2_A, Role.LOKR_W2_B,
                Role.LOKR_T2)) {
                // Only the second can have a kernel.
                found.add(new Factors.Kronecker(
                    fullOr(Role.LOKR_W1, Role.LOKR_W1_A, Role.LOKR_W1_B, Optional.empty()),
                    fullOr(Role.LOKR_W2, Role.LOKR_W2_A, Role.LOKR_W2_B, Optional.of(Role.LOKR_T2))));
            }
            for (Role full : List.of(Role.FULL, Role.FULL_BIAS)) {
                if (names.containsKey(full)) {
                    found.add(new Factors.Full(need(full)));
                }
            }
            if (found.size() != 1) {
                throw new ModelException(file.path() + ": " + String.join(" and ", names.values())
                    + (found.isEmpty() ? " has no factors; the file is damaged" : " say one thing in two ways"));
            }
            check(found.getFirst());
            return found.getFirst();
        }

        private boolean hasAny(Role... roles) {
            return List.of(roles).stream().anyMatch(names::containsKey);
        }

        private Factors product(Role up, Role core, Role down) {
            return names.containsKey(core) ? new Factors.Tucker(need(up), need(core), need(down), true)
                : new Factors.LowRank(need(up), need(down));
        }

        private Factors fullOr(Role full, Role up, Role down, Optional<Role> core) {
            if (!names.containsKey(full)) {
                return core.isPresent() ? product(up, core.get(), down)
                    : new Factors.LowRank(need(up), need(down));
            }
            if (hasAny(up, down) || core.map(names::containsKey).orElse(false)) {
                throw new ModelException(file.path() + ": " + names.get(full) + " is there whole and in factors");
            }
            return new Factors.Full(need(full));
        }

        private void check(Factors factors) {
            if (!factors.isConsistent()) {
                throw new ModelException(file.path() + ": the factors " + String.join(" and ",
                    factors.tensors().stream().map(Factor::toString).toList()) + " do not fit each other");
            }
        }

        Optional<Decomposition> decomposition() {
            if (hasAny(Role.LENGTHS) && hasAny(Role.OUTPUT_LENGTHS)) {
                throw new ModelException(file.path() + ": " + names.get(Role.LENGTHS) + " and "
                    + names.get(Role.OUTPUT_LENGTHS) + " mean the same");
            }
            return hasAny(Role.LENGTHS) ? Optional.of(new Decomposition(need(Role.LENGTHS), true))
                : hasAny(Role.OUTPUT_LENGTHS) ? Optional.of(new Decomposition(need(Role.OUTPUT_LENGTHS), false))
                : Optional.empty();
        }

        private Factor need(Role role) {
            String name = names.get(role);
            if (name == null) {
                throw new ModelException(file.path() + ": " + String.join(" and ", names.values())
                    + " has no other factor; the file is damaged");
            }
            StoredTensor tensor = file.tensor(name);
            if (!tensor.type().isFloatingPoint()) {
                throw new ModelException(file.path() + ": " + name + " has the type " + tensor.type()
                    + ", which is no floating-point number");
            }
            if (tensor.shape().elements() > Integer.MAX_VALUE - 8) {
                throw new ModelException(file.path() + ": " + name + " " + tensor.shape() + " is too large");
            }
            return new Factor(name, tensor.shape());
        }
    }
}
