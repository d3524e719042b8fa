package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The LoRAs of an open model. What is merged for it stays on disk until this is closed.
 *
 * <p><b>Threads:</b> any.
 */
public final class OpenLoras implements AutoCloseable {
    private static final Set<Component> CHANGEABLE =
        Set.of(Component.TEXT_ENCODER, Component.TEXT_ENCODER_2, Component.DENOISER);

    private static final int NAMED_IN_MESSAGE = 3;

    private static final Logger LOG = LoggerFactory.getLogger(OpenLoras.class);

    private final Loras loras;
    private final List<MergeClaim> claims = new ArrayList<>();

    OpenLoras(Loras loras) {
        this.loras = loras;
    }

    /** Those that were wanted. */
    public List<WeightedLora> list() {
        return loras.list();
    }

    /**
     * The model with all changes to it, which are made when its checkpoints are opened.
     *
     * @throws ModelException if a LoRA changes a component that the model does not have as a checkpoint, or has tensors
     *     that belong to no layer
     */
    public ModelFolder mergedInto(ModelFolder model) {
        check(CHANGEABLE.stream().filter(it -> ComponentFormat.of(model.folder(it)) == ComponentFormat.CHECKPOINT)
            .collect(Collectors.toSet()));
        return model.withCheckpoints(this::open);
    }

    /** @param components those of the model that come from checkpoints */
    void check(Set<Component> components) {
        for (WeightedLora weighted : list()) {
            Lora lora = weighted.lora();
            if (!lora.unknown().isEmpty()) {
                leaveOut(lora, "has what belongs to no layer that is understood", lora.unknown());
            }
            lora.components().stream().filter(it -> !components.contains(it)).sorted().findFirst().ifPresent(it -> {
                String what = lora.path() + " changes the " + it.name().toLowerCase(Locale.ROOT).replace('_', ' ')
                    + ", which this model does not have as a checkpoint (config.json and safetensors)";
                if (!loras.lenient()) {
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
        Checkpoint base = Checkpoint.open(folder);
        Map<String, List<Change>> changes = changes(component, base);
        if (changes.isEmpty()) {
            return base;
        }
        MergedCheckpoint merged = new MergedCheckpoint(component, base, changes);
        MergeClaim claim = merged.claim(loras.store());
        synchronized (claims) {
            claims.add(claim);
        }
        return merged.open(claim.merge());
    }

    private Map<String, List<Change>> changes(Component component, Checkpoint base) {
        LayerNames names = new LayerNames(component, base.weights().keySet());
        Map<String, List<Change>> changes = new LinkedHashMap<>();
        for (WeightedLora weighted : list()) {
            Lora lora = weighted.lora();
            List<String> missing = new ArrayList<>();
            Map<String, LoraLayer> changed = new LinkedHashMap<>();
            lora.layers().forEach((target, layer) -> {
                if (target.component() != component) {
                    return;
                }
                Optional<String> name = names.tensor(target);
                if (name.isEmpty()) {
                    missing.add(layer.name());
                    return;
                }
                LoraLayer other = changed.put(name.get(), layer);
                if (other != null) {
                    throw new ModelException(lora.path() + ": " + other.name() + " and " + layer.name()
                        + " both change " + name.get());
                }
                Change change = new Change(lora, layer, weighted.weight());
                change.checkFits(name.get(), base.weights().get(name.get()).shape());
                if (!change.isNothing()) {
                    changes.computeIfAbsent(name.get(), it -> new ArrayList<>()).add(change);
                }
            });
            if (!missing.isEmpty()) {
                leaveOut(lora, "changes layers that " + base.folder() + " does not have", missing);
            }
        }
        return changes;
    }

    /** Warns that something of a LoRA is left out, or refuses the LoRA for it. */
    private void leaveOut(Lora lora, String what, List<String> names) {
        List<String> some = names.stream().limit(NAMED_IN_MESSAGE).toList();
        String message = lora.path() + " " + what + ": " + String.join(", ", some)
            + (names.size() > some.size() ? " and " + (names.size() - some.size()) + " more" : "");
        if (!loras.lenient()) {
            throw new ModelException(message + (names.stream().anyMatch(LoraTarget::isOfTransformer)
                ? "; it is for a transformer, and no such model can be run"
                : "; it is for another model, or can be used in part by ignoring what does not fit"));
        }
        LOG.warn("{}; this is left out", message);
    }

    @Override
    public void close() {
        synchronized (claims) {
            claims.forEach(MergeClaim::close);
            claims.clear();
        }
    }
}
