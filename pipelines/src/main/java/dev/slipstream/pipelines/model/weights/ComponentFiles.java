package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.ComponentFiles.WeightFile.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which file of a component's folder holds its weights, by the names of {@link WeightFile}. If the same weights are
 * there in one file and in shards, the single file is taken.
 */
public record ComponentFiles(Path folder) {
    private static final Comparator<WeightFile> BEST_FIRST =
        Comparator.comparing(WeightFile::base).thenComparing(WeightFile::kind);

    private static Optional<WeightFile> find(List<WeightFile> files, Optional<String> variant) {
        return files.stream().filter(file -> file.variant().equals(variant) && file.kind() != Kind.SHARD)
            .min(BEST_FIRST);
    }

    /** Whether there are any, even if they turn out to be incomplete. */
    boolean isAny() {
        return !weights().isEmpty();
    }

    /** What {@link #require} returns if no variant is asked for; empty if it would throw. */
    public Optional<WeightFile> taken() {
        List<WeightFile> files = weights();
        List<String> variants = variants(files);
        return find(files, Optional.empty())
            .or(() -> variants.size() == 1 ? find(files, Optional.of(variants.getFirst())) : Optional.empty());
    }

    /**
     * The file of the weights, or their index. If no variant is asked for and there is only one, that one is taken.
     *
     * @throws ModelException if there is none; it says what is there
     */
    Path require(Optional<String> variant) {
        List<WeightFile> files = weights();
        return (variant.isEmpty() ? taken() : find(files, variant)).map(file -> folder.resolve(file.name()))
            .orElseThrow(() -> missing(variant, files));
    }

    private ModelException missing(Optional<String> variant, List<WeightFile> files) {
        String asked = variant.map(name -> " of variant " + name).orElse("");
        List<String> variants = variants(files);
        Optional<WeightFile> shard = files.stream().filter(file -> file.kind() == Kind.SHARD
            && (file.variant().equals(variant) || variant.isEmpty() && variants.size() == 1)).findFirst();
        if (shard.isPresent()) {
            long shards = files.stream().filter(file -> file.kind() == Kind.SHARD && file.isOf(shard.get())).count();
            return new ModelException(folder + " has weights in shards (" + shard.get().name()
                + (shards > 1 ? " and " + (shards - 1) + " more" : "") + "), but not the index that names them, "
                + shard.get().index() + "; download that, too");
        }
        if (variant.isPresent() && find(files, Optional.empty()).isPresent()) {
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

    private static List<String> variants(List<WeightFile> files) {
        return files.stream().flatMap(file -> file.variant().stream()).distinct().sorted().toList();
    }

    private List<WeightFile> weights() {
        return names().stream().flatMap(name -> WeightFile.of(name).stream())
            .filter(file -> InputFile.isThere(folder.resolve(file.name()))).toList();
    }

    private List<String> names() {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new ModelException("cannot list the folder " + folder + ": " + e, e);
        }
    }

    /**
     * What the name of a file of weights says, as diffusers and transformers give such names:
     *
     * <pre>
     *     diffusion_pytorch_model.safetensors                          or model.safetensors: whole
     *     diffusion_pytorch_model-00001-of-00002.safetensors           a shard
     *     diffusion_pytorch_model.safetensors.index.json               names the shards
     *     diffusion_pytorch_model.fp16.safetensors                     a variant
     *     diffusion_pytorch_model.fp16-00001-of-00002.safetensors      its shards; -00001-of-00002.fp16 in older ones
     *     diffusion_pytorch_model.safetensors.index.fp16.json
     * </pre>
     *
     * @param base {@code diffusion_pytorch_model} or {@code model}
     * @param variant empty for the plain weights
     */
    public record WeightFile(String name, String base, Optional<String> variant, Kind kind) {
        public enum Kind { WHOLE, SHARD, INDEX }

        private static final String SHARD = "-\\d+-of-\\d+";
        private static final Pattern WEIGHTS = Pattern.compile("(?<base>diffusion_pytorch_model|model)"
            + "(?<before>" + SHARD + ")?(?:\\.(?<variant>[^.]+?))?(?<after>" + SHARD + ")?\\.safetensors");
        private static final Pattern INDEX = Pattern.compile("(?<base>diffusion_pytorch_model|model)"
            + "\\.safetensors\\.index(?:\\.(?<variant>[^.]+))?\\.json");

        /** Empty for names of other files. */
        public static Optional<WeightFile> of(String name) {
            Matcher weights = WEIGHTS.matcher(name);
            if (weights.matches()) {
                boolean whole = weights.group("before") == null && weights.group("after") == null;
                return Optional.of(of(weights, whole ? Kind.WHOLE : Kind.SHARD));
            }
            Matcher index = INDEX.matcher(name);
            return index.matches() ? Optional.of(of(index, Kind.INDEX)) : Optional.empty();
        }

        private static WeightFile of(Matcher matcher, Kind kind) {
            return new WeightFile(matcher.group(), matcher.group("base"), Optional.ofNullable(matcher.group("variant")),
                kind);
        }

        /** Whether both belong to the same weights. */
        public boolean isOf(WeightFile other) {
            return base.equals(other.base) && variant.equals(other.variant);
        }

        /** The index that names the shards of such weights. */
        public String index() {
            return base + ".safetensors.index" + variant.map(name -> "." + name).orElse("") + ".json";
        }
    }
}
