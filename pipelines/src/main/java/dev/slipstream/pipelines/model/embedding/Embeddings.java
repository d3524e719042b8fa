package dev.slipstream.pipelines.model.embedding;

import com.google.protobuf.ByteString;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.clip.ClipTextConfig;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.embedding.Embedding.Vectors;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The embeddings that a model is opened with: their vectors come after its vocabulary, in the order of the list, and
 * their words are known to its tokenizers. Immutable; safe for any thread.
 */
public record Embeddings(List<Embedding> list) {
    public static final Embeddings NONE = new Embeddings(List.of());
    private static final List<Component> ENCODERS = List.of(Component.TEXT_ENCODER, Component.TEXT_ENCODER_2);

    public Embeddings {
        list = List.copyOf(list);
    }

    /** @throws ModelException if another has the same word */
    public Embeddings and(Embedding embedding) {
        list.stream().filter(other -> other.word().equalsIgnoreCase(embedding.word())).findFirst().ifPresent(other -> {
            throw new ModelException(other.path() + " and " + embedding.path() + " both have the word "
                + embedding.word() + "; give one of them another, as in " + embedding.path().getFileName() + ":WORD");
        });
        List<Embedding> more = new ArrayList<>(list);
        more.add(embedding);
        return new Embeddings(more);
    }

    /** A word and its vectors. */
    private record Word(String text, Vectors vectors) {
    }

    /**
     * The model with these embeddings.
     *
     * @throws ModelException if one fits no text encoder of the model that comes from a checkpoint
     */
    public ModelFolder addedTo(ModelFolder model) {
        if (list.isEmpty()) {
            return model;
        }
        Map<Component, Integer> widths = new LinkedHashMap<>();
        ENCODERS.stream().filter(it -> model.has(it) && model.format(it) == ComponentFormat.CHECKPOINT
            && isClip(model.requireConfig(it))).forEach(it ->
                widths.put(it, ClipTextConfig.read(model.requireConfig(it)).width()));
        Map<Component, List<Word>> words = new LinkedHashMap<>();
        for (Embedding embedding : list) {
            Map<Component, Vectors> fitting = fitting(embedding, widths);
            if (fitting.isEmpty()) {
                throw new ModelException(embedding.path() + " is for another model: its vectors have the width "
                    + embedding.vectors().values().stream().map(it -> Integer.toString(it.width()))
                        .collect(Collectors.joining(" and ")) + ", and the text encoders of " + model
                    + (widths.isEmpty() ? " come from no checkpoint" : " have " + widths.values()));
            }
            fitting.forEach((component, vectors) -> words.computeIfAbsent(component, it -> new ArrayList<>())
                .add(new Word(embedding.word(), vectors)));
        }
        Map<Component, Map<String, Integer>> counts = new LinkedHashMap<>();
        words.forEach((component, all) -> {
            Map<String, Integer> count = new LinkedHashMap<>();
            all.forEach(word -> count.put(word.text, word.vectors.count()));
            counts.put(component, count);
        });
        return model.withChanges((component, base) -> words.containsKey(component)
            ? extended(base, words.get(component)) : base).withWords(counts);
    }

    private static boolean isClip(ConfigFile config) {
        return config.text("model_type").orElse("clip").startsWith("clip");
    }

    private static Map<Component, Vectors> fitting(Embedding embedding, Map<Component, Integer> widths) {
        Map<Component, Vectors> fitting = new LinkedHashMap<>();
        if (embedding.saysWhich()) {
            boolean fits = embedding.vectors().entrySet().stream().allMatch(it ->
                Optional.ofNullable(widths.get(it.getKey())).filter(width -> width == it.getValue().width())
                    .isPresent());
            return fits ? embedding.vectors() : fitting;
        }
        Vectors vectors = embedding.vectors().values().iterator().next();
        widths.forEach((component, width) -> {
            if (width == vectors.width()) {
                fitting.put(component, vectors);
            }
        });
        return fitting;
    }

    private static Checkpoint extended(Checkpoint base, List<Word> words) {
        int width = words.getFirst().vectors.width();
        float[] rows = new float[words.stream().mapToInt(word -> word.vectors.values().length).sum()];
        int at = 0;
        for (Word word : words) {
            System.arraycopy(word.vectors.values(), 0, rows, at, word.vectors.values().length);
            at += word.vectors.values().length;
        }
        Map<String, StoredWeight> weights = new LinkedHashMap<>(base.weights());
        Shape shape = Shape.of(rows.length / width, width);
        weights.put(ClipTextModel.ADDED_TOKENS, new StoredWeight(base.source(), 0, Optional.of(DataType.FLOAT32), shape,
            Optional.of(ByteString.copyFrom(StoredTensor.of(shape, rows).data().asByteBuffer()))));
        return new Checkpoint(base.source(), base.folder(), weights);
    }
}
