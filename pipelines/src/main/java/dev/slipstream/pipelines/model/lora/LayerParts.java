package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import dev.slipstream.pipelines.model.lora.LoraKey.Role;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of one layer, put together by what they are to it.
 *
 * @param file that has them
 * @param module the layer
 * @param names of the tensors
 */
record LayerParts(SafetensorsFile file, LoraTarget.Module module, Map<Role, String> names) {
    private static final Set<Role> LOW_RANK = EnumSet.of(Role.DOWN, Role.UP, Role.MID);
    private static final Set<Role> HADAMARD = EnumSet.range(Role.HADA_W1_A, Role.HADA_T2);
    private static final Set<Role> KRONECKER = EnumSet.range(Role.LOKR_W1, Role.LOKR_T2);

    /** @throws ModelException if a factor is missing, or they do not fit each other */
    Factors factors() {
        List<Factors> found = new ArrayList<>();
        if (hasAny(LOW_RANK)) {
            found.add(has(Role.MID)
                ? new Factors.Tucker(need(Role.UP), need(Role.MID), need(Role.DOWN), false)
                : new Factors.LowRank(need(Role.UP), need(Role.DOWN)));
        }
        if (hasAny(HADAMARD)) {
            found.add(new Factors.Hadamard(product(Role.HADA_W1_A, Role.HADA_T1, Role.HADA_W1_B),
                product(Role.HADA_W2_A, Role.HADA_T2, Role.HADA_W2_B)));
        }
        if (hasAny(KRONECKER)) {
            found.add(kronecker());
        }
        for (Role full : List.of(Role.FULL, Role.FULL_BIAS)) {
            if (has(full)) {
                found.add(new Factors.Full(need(full)));
            }
        }
        if (found.size() != 1) {
            throw wrong(found.isEmpty() ? "has no factors; the file is damaged" : "say one thing in two ways");
        }
        if (!found.getFirst().isConsistent()) {
            throw new ModelException(file.path() + ": the factors " + String.join(" and ",
                found.getFirst().tensors().stream().map(Factor::toString).toList()) + " do not fit each other");
        }
        return found.getFirst();
    }

    private boolean has(Role role) {
        return names.containsKey(role);
    }

    private boolean hasAny(Set<Role> roles) {
        return names.keySet().stream().anyMatch(roles::contains);
    }

    /** With a core or without. */
    private Factors product(Role up, Role core, Role down) {
        return has(core) ? new Factors.Tucker(need(up), need(core), need(down), true)
            : new Factors.LowRank(need(up), need(down));
    }

    /** Each of the two is there whole or in factors. */
    private Factors kronecker() {
        boolean firstInFactors = hasAny(EnumSet.of(Role.LOKR_W1_A, Role.LOKR_W1_B));
        boolean secondInFactors = hasAny(EnumSet.of(Role.LOKR_W2_A, Role.LOKR_W2_B, Role.LOKR_T2));
        if (has(Role.LOKR_W1) && firstInFactors || has(Role.LOKR_W2) && secondInFactors) {
            throw wrong("say one thing whole and in factors");
        }
        return new Factors.Kronecker(
            firstInFactors ? new Factors.LowRank(need(Role.LOKR_W1_A), need(Role.LOKR_W1_B))
                : new Factors.Full(need(Role.LOKR_W1)),
            secondInFactors ? product(Role.LOKR_W2_A, Role.LOKR_T2, Role.LOKR_W2_B)
                : new Factors.Full(need(Role.LOKR_W2)));
    }

    Optional<Decomposition> decomposition() {
        if (has(Role.LENGTHS) && has(Role.OUTPUT_LENGTHS)) {
            throw wrong("say one thing in two ways");
        }
        return has(Role.LENGTHS) ? Optional.of(new Decomposition(need(Role.LENGTHS), true))
            : has(Role.OUTPUT_LENGTHS) ? Optional.of(new Decomposition(need(Role.OUTPUT_LENGTHS), false))
            : Optional.empty();
    }

    /** The value of a tensor that is one number; empty if it is not there. */
    Optional<Double> number(Role role) {
        if (!has(role)) {
            return Optional.empty();
        }
        String name = names.get(role);
        double value;
        try {
            value = file.tensor(name).toNumber();
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + name + " must be one number; " + e.getMessage(), e);
        }
        if (!Double.isFinite(value)) {
            throw new ModelException(file.path() + ": " + name + " must be one finite number, not " + value);
        }
        return Optional.of(value);
    }

    private Factor need(Role role) {
        String name = names.get(role);
        if (name == null) {
            throw wrong("has no other factor; the file is damaged");
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

    private ModelException wrong(String what) {
        return new ModelException(file.path() + ": " + String.join(" and ", names.values()) + " " + what);
    }
}
