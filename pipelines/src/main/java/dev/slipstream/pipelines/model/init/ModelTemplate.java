package dev.slipstream.pipelines.model.init;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.file.AtomicFolder;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.init.ModelFamily.FamilySettings;
import dev.slipstream.pipelines.model.kind.ComponentKind;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter.TensorOutline;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.tokenizer.ByteAlphabet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A model to be written: the parts and blocks of a family, with random weights.
 *
 * <pre>{@code
 * ModelTemplate.of(ModelFamily.SDXL, true).write(Path.of("tiny-sdxl"));
 * }</pre>
 *
 * <p>Tiny models have the family's blocks, so the published cuts apply, with a few channels. Their pictures have no
 * content.
 *
 * @param tiny whether widths and depths are small; otherwise they are the family's own, which takes gigabytes
 * @param type of the weights: F32, F16 or BF16
 * @param seed of the weights
 * @param hollow whether all weights are 0 and no disk is written for them: enough to plan and to cut
 */
public record ModelTemplate(ModelFamily family, boolean tiny, StoredType type, long seed, boolean hollow) {
    /** Types in which weights can be written. */
    public static final List<StoredType> TYPES = List.of(StoredType.F32, StoredType.F16, StoredType.BF16);

    /** Deviation of scales and biases. */
    private static final double SMALL = 0.02;

    public ModelTemplate {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException("weights are written as " + TYPES + ", not as " + type);
        }
    }

    /** Tiny models in fp32, and others in fp16, as they are published. */
    public static ModelTemplate of(ModelFamily family, boolean tiny) {
        return new ModelTemplate(family, tiny, tiny ? StoredType.F32 : StoredType.F16, 0, false);
    }

    public ModelTemplate withType(StoredType other) {
        return new ModelTemplate(family, tiny, other, seed, hollow);
    }

    public ModelTemplate withSeed(long other) {
        return new ModelTemplate(family, tiny, type, other, hollow);
    }

    /** The same with files that have holes in place of weights: real sizes in a moment, for plans and cuts alone. */
    public ModelTemplate hollowed() {
        return new ModelTemplate(family, tiny, type, seed, true);
    }

    /**
     * Writes the folder, whole or not at all. One tensor at a time is in memory.
     *
     * @param folder is not there, or empty
     * @return its parts
     * @throws ModelException if the folder is there and not empty, or cannot be written
     */
    public List<WrittenPart> write(Path folder) {
        String[] inTheWay = folder.toFile().list();
        if (Files.exists(folder) && (inTheWay == null || inTheWay.length > 0)) {
            throw new ModelException("cannot write a model to " + folder + ": it is "
                + (inTheWay == null ? "a file" : "not empty") + "; give a new folder");
        }
        FamilySettings settings = FamilySettings.read(family, tiny);
        List<WrittenPart> parts = new ArrayList<>();
        try {
            AtomicFolder.write(folder, target -> {
                for (Map.Entry<String, JsonObject> part : settings.folders().entrySet()) {
                    Path home = part.getKey().equals(FamilySettings.ITSELF) ? target
                        : Files.createDirectory(target.resolve(part.getKey()));
                    parts.add(write(part.getKey(), home, part.getValue(), settings));
                }
                if (!settings.folders().containsKey(FamilySettings.ITSELF)) {
                    writeJson(target.resolve("model_index.json"), settings.index());
                }
            });
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
        return parts;
    }

    private WrittenPart write(String name, Path home, JsonObject config, FamilySettings settings) throws IOException {
        JsonArray named = settings.index().getAsJsonArray(name);
        String className = named.get(named.size() - 1).getAsString();
        if (name.startsWith("tokenizer")) {
            String encoder = name.replace("tokenizer", "text_encoder");
            int size = settings.folders().get(encoder).get("vocab_size").getAsInt();
            if (className.startsWith("T5")) {
                new SmallPieces(size).write(home);
            } else {
                new SmallVocabulary(size).write(home, config.get("pad_token"));
            }
            return new WrittenPart(name, className, 0, 0);
        }
        if (name.endsWith("scheduler")) {
            writeJson(home.resolve("scheduler_config.json"), config);
            return new WrittenPart(name, className, 0, 0);
        }
        if (name.equals("feature_extractor")) {
            writeJson(home.resolve("preprocessor_config.json"), config);
            return new WrittenPart(name, className, 0, 0);
        }
        Path file = home.resolve("config.json");
        writeJson(file, config);
        return weights(name, home, className, config.has("_class_name"),
            weights(new ConfigFile(file, config), className, settings));
    }

    /** A motion adapter has what a denoiser joined with it has more than the denoiser. */
    private static Map<String, Shape> weights(ConfigFile config, String className, FamilySettings settings) {
        ComponentKind kind = ComponentKinds.of(config, className);
        if (!className.equals("MotionAdapter")) {
            return kind.weights(config);
        }
        ConfigFile base = new ConfigFile(config.path(), settings.folders().get("unet"));
        Map<String, Shape> own = new LinkedHashMap<>(kind.weights(config, GraphOptions.NONE.withBase(base)));
        own.keySet().removeAll(ComponentKinds.of(base).weights(base).keySet());
        return own;
    }

    /** @param diffusers whether the class is one of diffusers, not of transformers */
    private WrittenPart weights(String part, Path home, String className, boolean diffusers,
        Map<String, Shape> shapes) {
        Map<String, TensorOutline> outlines = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> outlines.put(name, new TensorOutline(type, shape)));
        Path file = home.resolve(diffusers ? "diffusion_pytorch_model.safetensors" : "model.safetensors");
        Map<String, String> metadata = Map.of("format", "pt");
        if (hollow) {
            SafetensorsWriter.writeHollow(file, outlines, metadata);
        } else {
            SafetensorsWriter.write(file, outlines, name -> random(name, shapes.get(name)).data(), metadata);
        }
        long parameters = shapes.values().stream().mapToLong(Shape::elements).sum();
        return new WrittenPart(part, className, parameters, parameters * type.bytes());
    }

    /**
     * Random numbers under which values stay about as large as they come in: matrices and kernels have the variance
     * 1 / inputs, scales of norms are about 1, and biases about 0. The same seed gives a tensor of the same name the
     * same numbers.
     */
    private StoredTensor random(String name, Shape shape) {
        boolean matrix = shape.rank() > 1;
        double mean = matrix || name.endsWith(".bias") ? 0 : 1;
        double deviation = matrix ? Math.sqrt((double) shape.dim(0) / shape.elements()) : SMALL;
        // A uniform distribution is as good here, and billions of numbers are wanted.
        double scale = deviation * Math.sqrt(3) / -(double) Integer.MIN_VALUE;
        SplittableRandom random = new SplittableRandom(seed * 31 + name.hashCode());
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + scale * random.nextInt());
        }
        return StoredTensor.of(type, shape, values);
    }

    /** With line breaks, as people like to read it. */
    private static void writeJson(Path file, JsonObject json) throws IOException {
        Files.writeString(file, new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create()
            .toJson(json) + "\n");
    }

    /**
     * A folder of a new model.
     *
     * @param name of the folder; a dot where the model is this part alone
     * @param className what diffusers or transformers call its kind
     * @param parameters numbers in its weights; 0 where it has none
     * @param bytes of its weights; 0 where it has none
     */
    public record WrittenPart(String name, String className, long parameters, long bytes) {
    }

    /**
     * A tokenizer in the form of CLIP's, with vocab.json and merges.txt, that knows every text letter by letter, and a
     * few words whole.
     *
     * <p>Ids as in CLIP: 256 bytes, the same at the end of a word, what pairs of pieces are merged to, and last the
     * start and the end of a text. A vocabulary of CLIP's own size has a gap before these two.
     */
    private static final class SmallVocabulary {
        private static final int LENGTH = 77;
        private static final String START = "<|startoftext|>";
        private static final String END = "<|endoftext|>";

        private static final String WORD_END = "</w>";
        static final List<String> WORDS = List.of("a", "an", "the", "of", "on", "in", "and", "with", "two",
            "three", "small", "large", "red", "green", "blue", "yellow", "white", "black", "circle", "square", "star",
            "triangle", "background", "photo", "painting", "cat", "dog", "house", "tree", "mountain", "river", "sky",
            "portrait");

        private final Map<String, Integer> ids = new LinkedHashMap<>();
        private final Set<String> merges = new LinkedHashSet<>();

        /** @param size ids in all, as the text encoder has them */
        SmallVocabulary(int size) {
            List<String> bytes = ByteAlphabet.letters();
            bytes.forEach(this::add);
            bytes.forEach(piece -> add(piece + WORD_END));
            WORDS.forEach(this::learn);
            if (ids.size() + 2 > size) {
                throw new IllegalArgumentException("a vocabulary of " + size + " has no room for " + (ids.size() + 2));
            }
            ids.put(START, size - 2);
            ids.put(END, size - 1);
        }

        private void add(String piece) {
            ids.putIfAbsent(piece, ids.size());
        }

        private void learn(String word) {
            String known = word.substring(0, 1);
            for (int i = 1; i < word.length(); i++) {
                String next = word.charAt(i) + (i == word.length() - 1 ? WORD_END : "");
                merges.add(known + " " + next);
                known += next;
                add(known);
            }
        }

        /**
         * Writes the folder of a tokenizer.
         *
         * @param padding the token for padding
         */
        void write(Path folder, JsonElement padding) throws IOException {
            JsonObject tokens = new JsonObject();
            ids.forEach(tokens::addProperty);
            writeJson(folder.resolve("vocab.json"), tokens);
            // In the order in which they are made.
            Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
            JsonObject special = new JsonObject();
            special.addProperty("bos_token", START);
            special.addProperty("eos_token", END);
            special.addProperty("unk_token", END);
            special.add("pad_token", padding);
            writeJson(folder.resolve("special_tokens_map.json"), special);
            JsonObject config = special.deepCopy();
            config.addProperty("tokenizer_class", "CLIPTokenizer");
            config.addProperty("model_max_length", LENGTH);
            config.addProperty("do_lower_case", true);
            config.addProperty("add_prefix_space", false);
            writeJson(folder.resolve("tokenizer_config.json"), config);
        }
    }

    /**
     * A tokenizer in the form of T5's, a tokenizer.json with the pieces of a Unigram model: the letters of ASCII, and a
     * few words whole. Other letters are unknown.
     */
    private static final class SmallPieces {
        private static final int LENGTH = 512;
        private static final String WORD_BEGIN = "\u2581";
        private static final double WORD_SCORE = -2;
        private static final double LETTER_SCORE = -6;

        private final JsonArray pieces = new JsonArray();

        /** @param size ids in all, as the text encoder has them */
        SmallPieces(int size) {
            add("<pad>", 0);
            add("</s>", 0);
            add("<unk>", 0);
            add(WORD_BEGIN, LETTER_SCORE);
            SmallVocabulary.WORDS.forEach(word -> add(WORD_BEGIN + word, WORD_SCORE));
            for (char letter = '!'; letter <= '~'; letter++) {
                add(String.valueOf(letter), LETTER_SCORE);
            }
            if (pieces.size() > size) {
                throw new IllegalArgumentException("a vocabulary of " + size + " has no room for " + pieces.size());
            }
        }

        private void add(String piece, double score) {
            JsonArray pair = new JsonArray();
            pair.add(piece);
            pair.add(score);
            pieces.add(pair);
        }

        void write(Path folder) throws IOException {
            JsonObject model = new JsonObject();
            model.addProperty("type", "Unigram");
            model.addProperty("unk_id", 2);
            model.add("vocab", pieces);
            JsonObject all = JsonParser.parseString("""
                {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
                 "added_tokens": [
                   {"id": 0, "content": "<pad>", "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true},
                   {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true}],
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
                   {"type": "Metaspace", "replacement": "\\u2581", "prepend_scheme": "always", "split": true}]},
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                   "pair": [],
                   "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
                 "decoder": null}""").getAsJsonObject();
            all.add("model", model);
            writeJson(folder.resolve("tokenizer.json"), all);
            JsonObject config = new JsonObject();
            config.addProperty("tokenizer_class", "T5TokenizerFast");
            config.addProperty("pad_token", "<pad>");
            config.addProperty("eos_token", "</s>");
            config.addProperty("unk_token", "<unk>");
            config.addProperty("model_max_length", LENGTH);
            writeJson(folder.resolve("tokenizer_config.json"), config);
        }
    }
}
