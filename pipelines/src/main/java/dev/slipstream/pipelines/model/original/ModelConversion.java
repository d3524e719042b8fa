package dev.slipstream.pipelines.model.original;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.AtomicFolder;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.init.ModelTemplate.WrittenPart;
import dev.slipstream.pipelines.model.original.OriginalLayout.Module;
import dev.slipstream.pipelines.model.weights.TensorFile;
import dev.slipstream.pipelines.model.weights.TensorView;
import dev.slipstream.pipelines.model.weights.ViewedWeights;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes a checkpoint in one file out as a folder in the layout of diffusers: each value as it is, in its own type;
 * what is quantised in one that holds its values exactly. A piece of a tensor is in memory at a time.
 *
 * @param parts that were written
 * @param missing what a model of the kind also has, and where neither the file nor the configuration's folder had it
 */
public record ModelConversion(List<WrittenPart> parts, List<String> missing) {
    public ModelConversion {
        parts = List.copyOf(parts);
        missing = List.copyOf(missing);
    }

    /**
     * @param source the file, and the folder that has what it lacks, which is copied
     * @param target a folder that is not there yet, or empty
     * @throws ModelException if the source is no file or damaged, or the folder cannot be written
     */
    public static ModelConversion write(ModelSource source, Path target) {
        if (!ModelSource.isFile(source.model())) {
            throw new ModelException(source.model() + " is no checkpoint in one file; safetensors and GGUF are read");
        }
        try (SingleFile file = SingleFile.open(source.model(), source.config().orElse(source.model()),
            WeightStore.ofUser())) {
            Writer writer = new Writer(file, source.config());
            AtomicFolder.write(target, writer::writeTo);
            return new ModelConversion(writer.parts, writer.missing);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    /**
     * Writes the tensors of a file under their own names as safetensors, quantised ones in a type that holds their
     * values exactly; the file may be of any kind.
     *
     * @throws ModelException if it is damaged, or the result cannot be written
     */
    public static WrittenPart writeTensors(Path source, Path target) {
        try (TensorFile file = TensorFile.open(source)) {
            ViewedWeights all = ViewedWeights.all(file);
            all.write(target);
            return part(target.getFileName().toString(), "", all);
        }
    }

    private static WrittenPart part(String name, String className, ViewedWeights weights) {
        long parameters = 0;
        long bytes = 0;
        for (TensorView view : weights.views().values()) {
            parameters += view.shape().elements();
            bytes += view.shape().elements() * weights.file().tensor(view.tensor()).type().bytes();
        }
        return new WrittenPart(name, className, parameters, bytes);
    }

    /** Writes into an empty folder. */
    private static final class Writer {
        private static final String CONFIG = "config.json";
        private static final String INDEX = "model_index.json";
        private static final String SCHEDULER = "scheduler";
        private static final int DEEPEST = 3;

        private final SingleFile file;
        private final Optional<Path> home;
        private final List<WrittenPart> parts = new ArrayList<>();
        private final List<String> missing = new ArrayList<>();

        Writer(SingleFile file, Optional<Path> home) {
            this.file = file;
            this.home = home;
        }

        void writeTo(Path folder) throws IOException {
            for (var module : file.layout().modules().entrySet()) {
                write(module.getKey(), module.getValue(), folder.resolve(module.getKey()));
            }
            Optional<ConfigFile> index = ofHome(INDEX).or(file::settings);
            if (index.isPresent()) {
                write(index.get(), folder.resolve(INDEX));
                for (String part : named(index.get())) {
                    if (!file.layout().modules().containsKey(part)) {
                        lend(part, folder);
                    }
                }
            } else if (parts.size() > 1) {
                missing.add(INDEX);
            }
        }

        private void write(String name, Module module, Path folder) throws IOException {
            Files.createDirectories(folder);
            boolean isOfDiffusers = Stream.of("unet", "transformer", "vae", "motion_adapter").anyMatch(name::equals);
            module.weights().write(folder.resolve((isOfDiffusers ? "diffusion_pytorch_model" : "model")
                + ".safetensors"));
            Optional<ConfigFile> config = ofHome(name + "/" + CONFIG).or(() -> Arrays.stream(Component.values())
                .filter(component -> component.folders().contains(name)).findFirst().flatMap(file::config));
            if (config.isPresent()) {
                write(config.get(), folder.resolve(CONFIG));
            } else {
                missing.add(name + "/" + CONFIG);
            }
            parts.add(part(name, module.className(), module.weights()));
        }

        private Optional<ConfigFile> ofHome(String path) {
            return home.map(folder -> folder.resolve(path)).filter(InputFile::isThere).map(ConfigFile::read);
        }

        private static void write(ConfigFile config, Path target) throws IOException {
            Files.writeString(target, new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping()
                .create().toJson(config.root()) + "\n");
        }

        /** The folders of all parts that a pipeline has. */
        private static Set<String> named(ConfigFile index) {
            Set<String> names = new LinkedHashSet<>();
            index.root().entrySet().forEach(entry -> {
                JsonElement value = entry.getValue();
                if (value.isJsonArray() && value.getAsJsonArray().size() == 2
                    && !value.getAsJsonArray().get(1).isJsonNull()) {
                    names.add(entry.getKey());
                }
            });
            return names;
        }

        /** Copies a part that the file lacks, or writes what is known of it. */
        private void lend(String part, Path folder) throws IOException {
            Optional<Path> from = home.map(it -> it.resolve(part)).filter(Files::isDirectory);
            Optional<JsonObject> scheduler = part.equals(SCHEDULER)
                ? file.noiseScheduler().map(ConfigFile::root) : Optional.empty();
            if (from.isPresent()) {
                copy(from.get(), folder.resolve(part));
            } else if (scheduler.isPresent()) {
                Files.createDirectories(folder.resolve(part));
                write(file.noiseScheduler().orElseThrow(), folder.resolve(part).resolve("scheduler_config.json"));
            } else {
                missing.add(part + "/");
            }
        }

        private static void copy(Path from, Path to) throws IOException {
            List<Path> files;
            try (Stream<Path> all = Files.walk(from, DEEPEST)) {
                files = all.filter(file -> !Files.isDirectory(file)).toList();
            }
            for (Path each : files) {
                Path target = to.resolve(from.relativize(each).toString());
                Files.createDirectories(target.getParent());
                try (InputStream in = InputFile.stream(each)) {
                    Files.copy(in, target);
                } catch (IOException e) {
                    throw new IOException("cannot copy " + each + ": " + FileFailure.reason(e), e);
                }
            }
        }
    }
}
