package dev.slipstream.pipelines.model.original;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.Elsewhere;
import dev.slipstream.pipelines.model.init.ModelFamily.FamilySettings;
import dev.slipstream.pipelines.model.original.OriginalLayout.Module;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.model.weights.TensorFile;
import dev.slipstream.pipelines.model.weights.ViewedWeights.Opened;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Components that lie in a file: those of a whole model, or a denoiser, an autoencoder or a motion adapter alone. It
 * keeps the file mapped, and computed weights in the store, until it is closed. Safe for any thread.
 */
public final class SingleFile implements Elsewhere {
    private final OriginalLayout layout;
    private final Optional<KnownModels.Known> known;
    private final Path home;
    private final WeightStore store;
    private final StoredType half;
    private final Map<String, Opened> opened = new HashMap<>();

    private SingleFile(OriginalLayout layout, Path home, WeightStore store, StoredType half) {
        this.layout = layout;
        this.known = KnownModels.of(layout);
        this.home = home;
        this.store = store;
        this.half = half;
    }

    /**
     * @param home the folder that has what the file lacks; the file itself if there is none
     * @param store where weights are kept that are not stored as they are computed with
     * @throws ModelException if the file is damaged, or no checkpoint that is known
     */
    public static SingleFile open(Path path, Path home, WeightStore store) {
        return open(path, home, store, StoredType.F32);
    }

    /** The same. @param half what the denoiser computes in, which its quantised weights are computed as */
    public static SingleFile open(Path path, Path home, WeightStore store, StoredType half) {
        TensorFile file = TensorFile.open(path);
        try {
            return new SingleFile(OriginalLayout.of(file), home, store, half);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    public OriginalLayout layout() {
        return layout;
    }

    /** What we call the model, if we have its configurations: {@code sdxl}, {@code flux-dev}. */
    public Optional<String> knownAs() {
        return known.map(KnownModels.Known::id);
    }

    private Optional<String> folder(Component component) {
        return component.folders().stream().filter(layout.modules()::containsKey).findFirst();
    }

    @Override
    public boolean has(Component component) {
        return folder(component).isPresent();
    }

    @Override
    public Checkpoint checkpoint(Component component) {
        String folder = folder(component).orElseThrow();
        synchronized (opened) {
            return opened.computeIfAbsent(folder, it -> layout.modules().get(it).weights()
                .open(store, component == Component.DENOISER ? half : StoredType.F32)).checkpoint();
        }
    }

    /** Of a folder that is a component's own, or known. */
    @Override
    public Optional<ConfigFile> config(Component component) {
        return folder(component).flatMap(folder -> ofHome(layout.modules().get(folder)))
            .or(() -> known.flatMap(it -> component.folders().stream().flatMap(folder -> it.config(folder).stream())
                .findFirst()))
            .or(() -> folder(component).filter(folder -> component == Component.MOTION_ADAPTER)
                .map(folder -> new MotionModules(layout.file().path(), layout.modules().get(folder)).config()));
    }

    private Optional<ConfigFile> ofHome(Module module) {
        Path file = home.resolve("config.json");
        return InputFile.isThere(file) ? Optional.of(ConfigFile.read(file))
            .filter(config -> config.text("_class_name").filter(module.className()::equals).isPresent())
            : Optional.empty();
    }

    @Override
    public Optional<ConfigFile> settings() {
        return known.map(KnownModels.Known::index);
    }

    @Override
    public Optional<ConfigFile> noiseScheduler() {
        return known.flatMap(KnownModels.Known::scheduler);
    }

    @Override
    public ModelException missing(String what) {
        String parts = String.join(", ", layout.modules().keySet());
        boolean isConfig = what.endsWith("config.json");
        return new ModelException(layout.file().path() + " has " + parts + " and no " + what
            + (isConfig && known.isEmpty() ? ", and is of no size that is known" : ", which is needed, too")
            + "; name a folder that has it as the model's configuration (--config DIR)");
    }

    @Override
    public void close() {
        synchronized (opened) {
            opened.values().forEach(it -> it.claim().ifPresent(WeightStore.Claim::close));
            opened.clear();
            layout.file().close();
        }
    }

    /**
     * The configuration of a motion adapter, as its tensors show it: all but the heads of its attention, of which every
     * released one has eight.
     */
    private record MotionModules(Path file, Module module) {
        private static final int HEADS = 8;

        ConfigFile config() {
            JsonArray widths = new JsonArray();
            JsonArray layers = new JsonArray();
            while (has(layer(widths.size(), 0))) {
                int level = widths.size();
                widths.add(shape(layer(level, 0) + ".norm.weight").dim(0));
                int count = 0;
                while (has(layer(level, count))) {
                    count++;
                }
                layers.add(count);
            }
            int depth = 0;
            while (module.shape(block(depth) + ".norm1.weight").isPresent()) {
                depth++;
            }
            JsonObject config = new JsonObject();
            config.addProperty("_class_name", module.className());
            config.add("block_out_channels", widths);
            config.add("motion_layers_per_block", layers);
            config.addProperty("motion_transformer_layers_per_block", depth);
            config.addProperty("motion_transformer_layers_per_mid_block", depth);
            config.addProperty("motion_num_attention_heads", HEADS);
            config.addProperty("motion_max_seq_length", shape(block(0) + ".pos_embed.pe").dim(1));
            config.addProperty("use_motion_mid_block", has("mid_block.motion_modules.0"));
            module.shape("conv_in.weight").ifPresent(shape -> config.addProperty("conv_in_channels", shape.dim(1)));
            return new ConfigFile(file, config);
        }

        private static String layer(int level, int index) {
            return "down_blocks." + level + ".motion_modules." + index;
        }

        private static String block(int index) {
            return layer(0, 0) + ".transformer_blocks." + index;
        }

        private boolean has(String motionModule) {
            return module.shape(motionModule + ".norm.weight").isPresent();
        }

        private Shape shape(String tensor) {
            return module.shape(tensor).orElseThrow(() -> new ModelException(file + " has no " + tensor
                + ", which tells the sizes of a motion adapter"));
        }
    }

    /**
     * Models whose configurations we have, so that a file with their weights needs no folder for that. Which one a file
     * holds is told by the shapes of a few tensors; all others are compared when graphs are written.
     */
    private static final class KnownModels {
        private static final String TABLE = "known.models";
        private static final String SCHEDULER = "scheduler";

        private KnownModels() {
        }

        /**
         * The configurations of one.
         *
         * @param file what messages call them
         */
        record Known(Path file, String id, FamilySettings settings, boolean predictsVelocity, boolean endsInNoise) {
            ConfigFile index() {
                return new ConfigFile(file, settings.index());
            }

            /** @param folder of a component */
            Optional<ConfigFile> config(String folder) {
                return Optional.ofNullable(settings.folders().get(folder)).map(config -> new ConfigFile(file, config));
            }

            /** Some files of SDXL mark with empty tensors that they were trained to predict velocities. */
            Optional<ConfigFile> scheduler() {
                return Optional.ofNullable(settings.folders().get(SCHEDULER)).map(JsonObject::deepCopy).map(config -> {
                    if (predictsVelocity) {
                        config.addProperty("prediction_type", "v_prediction");
                    }
                    if (endsInNoise) {
                        config.addProperty("rescale_betas_zero_snr", true);
                    }
                    return new ConfigFile(file, config);
                });
            }
        }

        /** Empty if the file's denoiser has sizes that we do not know. */
        static Optional<Known> of(OriginalLayout layout) {
            return lines().stream().filter(line -> line.fits(layout)).findFirst()
                .map(line -> new Known(layout.file().path(), line.id(), FamilySettings.read(line.id()),
                    layout.ignored().contains("v_pred"), layout.ignored().contains("ztsnr")));
        }

        /** A line of the table. */
        private record Line(String id, List<Sign> signs) {
            boolean fits(OriginalLayout layout) {
                return signs.stream().allMatch(sign -> sign.fits(layout));
            }
        }

        /** A tensor's shape. */
        private record Sign(String folder, String tensor, long[] dims) {
            boolean fits(OriginalLayout layout) {
                return Optional.ofNullable(layout.modules().get(folder)).flatMap(module -> module.shape(tensor))
                    .map(Shape::toArray).filter(found -> Arrays.equals(found, dims)).isPresent();
            }
        }

        private static List<Line> lines() {
            try (InputStream in = SingleFile.class.getResourceAsStream(TABLE)) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#")).map(KnownModels::line).toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Line line(String text) {
            String[] words = text.split("\\s+");
            List<Sign> signs = new ArrayList<>();
            for (int i = 1; i + 2 < words.length; i += 3) {
                signs.add(new Sign(words[i], words[i + 1],
                    Arrays.stream(words[i + 2].split(",")).mapToLong(Long::parseLong).toArray()));
            }
            return new Line(words[0], signs);
        }
    }
}
