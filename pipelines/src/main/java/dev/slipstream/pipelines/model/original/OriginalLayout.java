package dev.slipstream.pipelines.model.original;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.original.KeyMap.Mapped;
import dev.slipstream.pipelines.model.original.KeyMap.Part;
import dev.slipstream.pipelines.model.weights.FileTensor;
import dev.slipstream.pipelines.model.weights.TensorFile;
import dev.slipstream.pipelines.model.weights.ViewedWeights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The parts of a model that lie together in one file, in the layout of the original implementations: recognised by
 * which tensors there are, and never by their sizes.
 *
 * @param modules by the folder that diffusers has for each, such as {@code unet}
 * @param ignored names of tensors that say nothing that is needed
 * @param unknown names of tensors that no part is known to have
 */
public record OriginalLayout(TensorFile file, Map<String, Module> modules, List<String> ignored,
    List<String> unknown) {
    private static final List<KeyMap> TABLES = Stream.of("unet", "sd3", "flux", "vae", "unet-diffusers",
        "sd3-diffusers", "flux-diffusers", "vae-diffusers", "clip", "clip-l", "clip-g", "open-clip", "open-clip-2",
        "t5", "motion", "motion-diffusers").map(KeyTable::read).toList();
    private static final KeyMap OTHERS = KeyTable.read("others");
    private static final int NAMED = 3;
    private static final int LONGEST = 80;

    /**
     * A part of the model.
     *
     * @param className of the component in diffusers or transformers
     * @param weights under their names
     */
    public record Module(String className, ViewedWeights weights) {
        /** The shape of a tensor; empty if there is none of the name. */
        public Optional<Shape> shape(String name) {
            return Optional.ofNullable(weights.views().get(name)).map(view -> view.shape());
        }
    }

    public OriginalLayout {
        modules = Collections.unmodifiableMap(new LinkedHashMap<>(modules));
        ignored = List.copyOf(ignored);
        unknown = List.copyOf(unknown);
    }

    /**
     * @param file stays open as long as the weights are used
     * @throws ModelException if the file has no part of a model that is known, or a tensor of another shape
     */
    public static OriginalLayout of(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        Map<String, KeyMap> found = new LinkedHashMap<>();
        for (KeyMap map : TABLES) {
            map.prefixIn(names).ifPresent(prefix -> found.putIfAbsent(prefix, map));
        }
        if (found.isEmpty()) {
            throw new ModelException(file.path() + " is no checkpoint of a kind that is known: it has none of the "
                + "tensors by which Stable Diffusion 1, 2, 3 and XL, FLUX, their parts and motion adapters are "
                + "recognised, but "
                + names.stream().limit(NAMED).map(OriginalLayout::shown).collect(Collectors.joining(", ")));
        }
        return of(file, found);
    }

    private static String shown(String name) {
        String plain = name.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > LONGEST ? plain.substring(0, LONGEST) + "..." : plain;
    }

    private static OriginalLayout of(TensorFile file, Map<String, KeyMap> found) {
        Map<String, Map<String, Shape>> shapes = new LinkedHashMap<>();
        Map<String, Shape> others = new LinkedHashMap<>();
        List<String> longestFirst = found.keySet().stream()
            .sorted((one, other) -> other.length() - one.length()).toList();
        for (Map.Entry<String, FileTensor> tensor : file.tensors().entrySet()) {
            longestFirst.stream().filter(tensor.getKey()::startsWith).findFirst()
                .map(prefix -> shapes.computeIfAbsent(prefix, it -> new LinkedHashMap<>())).orElse(others)
                .put(tensor.getKey(), tensor.getValue().shape());
        }
        Set<String> ids = found.values().stream().map(KeyMap::id).collect(Collectors.toSet());
        String source = file.path().toString();
        Map<String, Module> modules = new LinkedHashMap<>();
        List<String> ignored = new ArrayList<>();
        List<String> unmatched = new ArrayList<>();
        found.forEach((prefix, map) -> {
            Mapped mapped = map.map(source, shapes.get(prefix), prefix);
            Part part = map.parts().stream().filter(it -> it.with().map(ids::contains).orElse(true)).findFirst()
                .orElseThrow();
            if (modules.put(part.folder(), new Module(part.className(), new ViewedWeights(file, mapped.views())))
                != null) {
                throw new ModelException(source + " has more than one " + part.folder());
            }
            ignored.addAll(mapped.ignored());
            unmatched.addAll(mapped.unknown());
        });
        unmatched.forEach(name -> others.put(name, file.tensor(name).shape()));
        Mapped rest = OTHERS.map(source, others, "");
        ignored.addAll(rest.ignored());
        return new OriginalLayout(file, modules, ignored, rest.unknown());
    }
}
