package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.Inventory.FileNote;
import dev.slipstream.pipelines.model.folder.Inventory;
import dev.slipstream.pipelines.model.folder.SilentFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of an adapter, which is one safetensors file, or a folder as PEFT or diffusers write it.
 *
 * @param weights safetensors
 * @param config PEFT's settings, if they belong to these weights
 */
record AdapterFiles(Path weights, Optional<Path> config) {
    private static final String CONFIG = "adapter_config.json";
    private static final Logger LOG = LoggerFactory.getLogger(AdapterFiles.class);
    private static final String PEFT_WEIGHTS = "adapter_model.safetensors";
    private static final String DIFFUSERS_WEIGHTS = "pytorch_lora_weights.safetensors";
    private static final List<String> PARTS =
        List.of("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3");

    /**
     * Finds the files of all parts: one part, or one for each component that has a folder of its own inside.
     *
     * @param path the file, or the folder
     * @throws ModelException if there is none, or it is not clear which
     */
    static List<AdapterFiles> findAll(Path path) {
        if (!Files.isDirectory(path) || !safetensors(path).isEmpty()) {
            return List.of(find(path));
        }
        List<Path> parts = PARTS.stream().map(path::resolve)
            .filter(part -> Files.isDirectory(part) && !safetensors(part).isEmpty()).toList();
        if (parts.isEmpty()) {
            return List.of(find(path));
        }
        warn(new AdapterInventory(path, List.of(), parts));
        return parts.stream().map(AdapterFiles::find).toList();
    }

    /**
     * Finds the files, and warns about others in an adapter's folder that are not read.
     *
     * @param path the file, or the folder
     * @throws ModelException if there is none, or it is not clear which
     */
    static AdapterFiles find(Path path) {
        boolean folder = Files.isDirectory(path);
        Path weights = folder ? weights(path) : path;
        Path beside = weights.resolveSibling(CONFIG);
        if (!InputFile.isThere(beside)) {
            if (folder) {
                warn(new AdapterInventory(path, List.of(weights), List.of()));
            }
            return new AdapterFiles(weights, Optional.empty());
        }
        Path home = weights.toAbsolutePath().getParent();
        if (!isNamed(weights, PEFT_WEIGHTS) && safetensors(home).size() > 1) {
            LOG.warn("{} is not read for {}: it belongs to one of the other files there", beside, weights);
            return new AdapterFiles(weights, Optional.empty());
        }
        warn(new AdapterInventory(home, List.of(weights, beside), List.of()));
        return new AdapterFiles(weights, Optional.of(beside));
    }

    /** Which of the two text encoders a name means that does not say it: PEFT saves each in a folder of its own. */
    Component textEncoder() {
        Path home = weights.toAbsolutePath().normalize().getParent();
        return home != null && home.endsWith("text_encoder_2") ? Component.TEXT_ENCODER_2 : Component.TEXT_ENCODER;
    }

    private static void warn(AdapterInventory inventory) {
        inventory.take().warnings().forEach(warning -> LOG.warn("{}", warning));
    }

    private static boolean isNamed(Path file, String name) {
        return file.getFileName().toString().equals(name);
    }

    private static Path weights(Path folder) {
        List<Path> all = safetensors(folder);
        List<Path> usual = all.stream().filter(file -> isNamed(file, PEFT_WEIGHTS) || isNamed(file, DIFFUSERS_WEIGHTS))
            .toList();
        List<Path> candidates = usual.isEmpty() ? all : usual;
        if (candidates.isEmpty()) {
            // When it is opened, it is refused as a pickle, with advice.
            return Stream.of("adapter_model.bin", "pytorch_lora_weights.bin").map(folder::resolve)
                .filter(Files::exists).findFirst().orElseThrow(() -> new ModelException(folder
                    + " is no adapter's folder: it has neither " + PEFT_WEIGHTS + " nor " + DIFFUSERS_WEIGHTS));
        }
        if (candidates.size() > 1) {
            throw new ModelException(folder + " has more than one adapter: " + String.join(", ",
                candidates.stream().map(file -> file.getFileName().toString()).toList()) + "; name one of the files");
        }
        return candidates.getFirst();
    }

    private static List<Path> safetensors(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().filter(file -> file.getFileName().toString().endsWith(".safetensors")).toList();
        } catch (IOException e) {
            throw new ModelException("cannot list the folder " + folder + ": " + FileFailure.reason(e), e);
        }
    }

    /**
     * Which files of an adapter's folder are read.
     *
     * @param read files that are read
     * @param parts folders that are adapters of their own
     */
    record AdapterInventory(Path folder, List<Path> read, List<Path> parts) {
        private static final Pattern OF_TRAINING = Pattern.compile("[^/]*\\.(txt|ya?ml|toml|csv)",
            Pattern.CASE_INSENSITIVE);
        private static final Pattern PICKLES = Pattern.compile("(adapter_model|pytorch_lora_weights)\\.bin");

        Inventory take() {
            return Inventory.of(folder, List.of(this::ofReader, new SilentFiles(), this::ofTraining));
        }

        private Optional<FileNote> ofReader(String inside, String name) {
            if (!inside.isEmpty()) {
                // The part has an inventory of its own.
                return Optional.of(FileNote.read("the part of " + inside));
            }
            if (parts.stream().anyMatch(part -> name.equals(part.getFileName() + "/"))) {
                return Optional.of(FileNote.read("a part"));
            }
            return read.stream().anyMatch(file -> name.equals(file.getFileName().toString()))
                ? Optional.of(FileNote.read("the adapter")) : Optional.empty();
        }

        private Optional<FileNote> ofTraining(String inside, String name) {
            if (OF_TRAINING.matcher(name).matches()) {
                return Optional.of(FileNote.silent("about the training"));
            }
            return PICKLES.matcher(name).matches() && !read.isEmpty()
                ? Optional.of(FileNote.silent("the adapter in another form")) : Optional.empty();
        }
    }
}
