package dev.slipstream.pipelines.model.embedding;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What textual inversion learned: vectors that stand in a prompt for a word of its own, one after another. In
 * diffusers' spelling the word is the tensor's name, in that of AUTOMATIC1111's web UI ({@code emb_params}, or {@code
 * clip_l} and {@code clip_g} for SDXL) the file's.
 *
 * <p>Source: Gal et al., "An Image is Worth One Word", arXiv 2208.01618.
 *
 * @param path the file
 * @param word that is replaced in prompts
 * @param vectors by text encoder; for a file that does not say which, under the first
 * @param saysWhich whether the file says which text encoder the vectors are for
 */
public record Embedding(Path path, String word, Map<Component, Vectors> vectors, boolean saysWhich) {
    /** No text encoder of a diffusion model reads more tokens. */
    private static final int MOST_VECTORS = 1024;
    private static final int LONGEST_WORD = 200;
    private static final String PARAMETERS = "emb_params";
    private static final Map<String, Component> OF_ENCODERS =
        Map.of("clip_l", Component.TEXT_ENCODER, "clip_g", Component.TEXT_ENCODER_2);

    /**
     * Vectors one after another.
     *
     * @param values as many for each
     */
    public record Vectors(int count, int width, float[] values) {
    }

    /**
     * @param word that it gets in prompts; empty for its own
     * @throws ModelException if the file is missing or damaged, or no such embedding
     */
    public static Embedding read(Path path, Optional<String> word) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Map<String, StoredTensor> tensors = file.tensors();
            Map<Component, Vectors> vectors = new LinkedHashMap<>();
            String own = stem(path);
            if (!tensors.isEmpty() && OF_ENCODERS.keySet().containsAll(tensors.keySet())) {
                List.of("clip_l", "clip_g").stream().filter(tensors::containsKey).forEach(name ->
                    vectors.put(OF_ENCODERS.get(name), vectors(path, name, tensors.get(name))));
                return new Embedding(path, checked(path, word.orElse(own)), vectors, true);
            }
            if (tensors.size() != 1) {
                throw new ModelException(path + " is no embedding of textual inversion: it has " + tensors.size()
                    + " tensors, and not one for the word, emb_params, or clip_l and clip_g");
            }
            String name = tensors.keySet().iterator().next();
            vectors.put(Component.TEXT_ENCODER, vectors(path, name, tensors.get(name)));
            return new Embedding(path, checked(path, word.orElse(name.equals(PARAMETERS) ? own : name)), vectors,
                false);
        }
    }

    private static String stem(Path path) {
        String name = path.getFileName().toString();
        return name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
    }

    private static String checked(Path path, String word) {
        String stripped = word.strip();
        if (stripped.isEmpty() || stripped.length() > LONGEST_WORD
            || stripped.codePoints().anyMatch(Character::isISOControl)) {
            throw new ModelException(path + " has no word that can stand in a prompt; give it one, as in "
                + path.getFileName() + ":WORD");
        }
        return stripped;
    }

    private static Vectors vectors(Path path, String name, StoredTensor tensor) {
        Shape shape = tensor.shape();
        boolean fits = (shape.rank() == 1 || shape.rank() == 2) && shape.elements() > 0
            && tensor.type().isFloatingPoint();
        int count = fits && shape.rank() == 2 ? (int) Math.min(shape.dim(0), Integer.MAX_VALUE) : 1;
        if (!fits || count > MOST_VECTORS || shape.elements() > 1 << 24) {
            throw new ModelException(path + ": " + name + " " + tensor.type() + shape + " is no list of vectors for "
                + "a text encoder");
        }
        float[] values = tensor.toFloats();
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new ModelException(path + ": " + name + " holds infinities or NaN; the file is damaged, or its "
                    + "training went wrong");
            }
        }
        return new Vectors(count, values.length / count, values);
    }
}
