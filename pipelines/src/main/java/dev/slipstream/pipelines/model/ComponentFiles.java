package dev.slipstream.pipelines.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which file of a component's folder holds its weights. diffusers and transformers name them so:
 *
 * <pre>
 *     diffusion_pytorch_model.safetensors               or model.safetensors
 *     diffusion_pytorch_model.safetensors.index.json    names the files of weights in several
 *     diffusion_pytorch_model.fp16.safetensors          a variant
 *     diffusion_pytorch_model.safetensors.index.fp16.json
 * </pre>
 */
record ComponentFiles(Path folder) {
    private static final String BASE = "(?:diffusion_pytorch_model|model)";
    private static final Pattern VARIANT = Pattern.compile(
        BASE + "\\.([^.]+)\\.safetensors|" + BASE + "\\.safetensors\\.index\\.([^.]+)\\.json");

    /** The file, or the index, of the weights; empty if there are none that can be read. */
    Optional<Path> find(Optional<String> variant) {
        String dotted = variant.map(name -> "." + name).orElse("");
        return Stream.of("diffusion_pytorch_model", "model").flatMap(base -> Stream.of(
            base + dotted + ".safetensors", base + ".safetensors.index" + dotted + ".json"))
            .map(folder::resolve).filter(Files::isRegularFile).findFirst();
    }

    boolean isAny() {
        return find(Optional.empty()).isPresent() || !variants().isEmpty();
    }

    /**
     * As {@link #find}; where no variant is asked for and there is only one, that is taken.
     *
     * @throws ModelException if there is none; it says what is there
     */
    Path require(Optional<String> variant) {
        List<String> variants = variants();
        Optional<String> chosen = variant.isEmpty() && find(variant).isEmpty() && variants.size() == 1
            ? Optional.of(variants.getFirst()) : variant;
        return find(chosen).orElseThrow(() -> missing(variant, variants));
    }

    private ModelException missing(Optional<String> variant, List<String> variants) {
        String asked = variant.map(name -> " of variant " + name).orElse("");
        if (variant.isPresent() && find(Optional.empty()).isPresent()) {
            return new ModelException(folder + " has no weights" + asked + "; the variants there are "
                + (variants.isEmpty() ? "none, ask for the plain weights" : variants + " and the plain weights"));
        }
        if (variant.isPresent() && !variants.isEmpty()) {
            return new ModelException(folder + " has no weights" + asked + "; choose one of its variants " + variants);
        }
        if (!variants.isEmpty()) {
            return new ModelException(folder + " has no plain weights, but the variants " + variants
                + "; leave one of them there, which is then taken");
        }
        Optional<String> pickle = names().stream().filter(Pickle::is).findFirst();
        return pickle.map(name -> Pickle.refused(folder.resolve(name))).orElseGet(() -> new ModelException(folder
            + " has no weights: neither diffusion_pytorch_model.safetensors nor model.safetensors"));
    }

    private List<String> variants() {
        TreeSet<String> variants = new TreeSet<>();
        for (String name : names()) {
            Matcher matcher = VARIANT.matcher(name);
            if (matcher.matches()) {
                variants.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
            }
        }
        return List.copyOf(variants);
    }

    private List<String> names() {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new ModelException("cannot list the folder " + folder + ": " + e, e);
        }
    }
}
