package dev.slipstream.pipelines.model.original;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.Elsewhere;
import dev.slipstream.pipelines.model.folder.ModelFile;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.MotionAdapter;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a model is opened from.
 *
 * @param model a folder in the layout of diffusers, or a file in the original layout: a whole model or its denoiser
 * @param config for a file, the folder whose configurations count and that has what the file lacks: tokenizers,
 *     encoders, a decoder
 * @param vae a file with the autoencoder that is taken instead of the model's own
 * @param motionAdapter the motion adapter that the denoiser is joined with: a folder, or a file
 */
public record ModelSource(Path model, Optional<Path> config, Optional<Path> vae, Optional<Path> motionAdapter) {
    private static final List<String> ENDINGS = List.of(".safetensors", ".gguf");

    /** A folder or file alone. */
    public static ModelSource of(Path model) {
        return new ModelSource(model, Optional.empty(), Optional.empty(), Optional.empty());
    }

    public ModelSource withConfig(Path folder) {
        return new ModelSource(model, Optional.of(folder), vae, motionAdapter);
    }

    public ModelSource withVae(Path file) {
        return new ModelSource(model, config, Optional.of(file), motionAdapter);
    }

    public ModelSource withMotionAdapter(Path adapter) {
        return new ModelSource(model, config, vae, Optional.of(adapter));
    }

    /** Whether a path names a file of a model, not a folder. */
    public static boolean isFile(Path path) {
        String name = path.getFileName() == null ? "" : path.getFileName().toString().toLowerCase(Locale.ROOT);
        return ENDINGS.stream().anyMatch(name::endsWith) && !Files.isDirectory(path);
    }

    /** Where a file of ours about a model lies: in its folder, or next to its file, under the file's name. */
    public static Path beside(Path model, ModelFile ours) {
        return isFile(model) ? model.resolveSibling(model.getFileName() + "." + ours.in(Path.of("")))
            : ours.in(model);
    }

    /**
     * Opens it; the caller closes what comes out.
     *
     * @throws ModelException if there is no such model, or it is damaged or of a kind that is not read
     */
    public ModelFolder open() {
        return open(WeightStore.ofUser(), StoredType.F32);
    }

    /** The same. @param half what the denoiser computes in, which its quantised weights are computed as */
    public ModelFolder open(DataType half) {
        return open(WeightStore.ofUser(), StoredType.valueOf(switch (half) {
            case FLOAT16 -> "F16";
            case BFLOAT16 -> "BF16";
            default -> "F32";
        }));
    }

    /** @param store where weights are kept that are not stored as they are computed with */
    ModelFolder open(WeightStore store, StoredType half) {
        ModelFolder folder = openAlone(store, half);
        try {
            return motionAdapter.map(adapter -> folder.withMotionAdapter(motion(adapter, store))).orElse(folder);
        } catch (RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    /** A file's configuration is the one beside it, if that is of a motion adapter. */
    private static MotionAdapter motion(Path path, WeightStore store) {
        if (!isFile(path)) {
            return new MotionAdapter(path, Elsewhere.NOTHING);
        }
        return new MotionAdapter(path, alone(path, path.toAbsolutePath().getParent(), store, Component.MOTION_ADAPTER,
            "a motion adapter"));
    }

    private ModelFolder openAlone(WeightStore store, StoredType half) {
        config.filter(folder -> !Files.isDirectory(folder)).ifPresent(folder -> {
            throw new ModelException("there is no folder " + folder + " with the configuration of " + model);
        });
        if (!isFile(model)) {
            config.ifPresent(folder -> {
                throw new ModelException(model + " is no file, but has its own configuration; leave out " + folder);
            });
            return ModelFolder.open(model, vae.<Elsewhere>map(file -> ofVae(file, store)).orElse(Elsewhere.NOTHING));
        }
        Path home = config.orElse(model);
        SingleFile file = SingleFile.open(model, home, store, half);
        try {
            if (!file.has(Component.DENOISER)) {
                throw new ModelException(model + " has no denoiser, but only "
                    + String.join(", ", file.layout().modules().keySet())
                    + (file.has(Component.VAE_DECODER) ? "; give it as a model's autoencoder" : ""));
            }
            return ModelFolder.ofFile(model, home, vae.<Elsewhere>map(other ->
                new Both(ofVae(other, store), file)).orElse(file));
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static SingleFile ofVae(Path path, WeightStore store) {
        return alone(path, path, store, Component.VAE_DECODER, "an autoencoder");
    }

    /** A file with this component and no denoiser. @param name of the component in messages */
    private static SingleFile alone(Path path, Path home, WeightStore store, Component component, String name) {
        SingleFile file = SingleFile.open(path, home, store);
        if (!file.has(component) || file.has(Component.DENOISER)) {
            file.close();
            throw new ModelException(path + " is no file of " + name + " alone; it has "
                + String.join(", ", file.layout().modules().keySet()));
        }
        return file;
    }

    /** An autoencoder and all else; configurations are those of the second. */
    private record Both(SingleFile vae, SingleFile model) implements Elsewhere {
        @Override
        public boolean has(Component component) {
            return vae.has(component) || model.has(component);
        }

        @Override
        public Checkpoint checkpoint(Component component) {
            return (vae.has(component) ? vae : model).checkpoint(component);
        }

        @Override
        public Optional<ConfigFile> config(Component component) {
            return model.config(component);
        }

        @Override
        public Optional<ConfigFile> settings() {
            return model.settings();
        }

        @Override
        public Optional<ConfigFile> noiseScheduler() {
            return model.noiseScheduler();
        }

        @Override
        public ModelException missing(String what) {
            return model.missing(what);
        }

        @Override
        public void close() {
            vae.close();
            model.close();
        }
    }
}
