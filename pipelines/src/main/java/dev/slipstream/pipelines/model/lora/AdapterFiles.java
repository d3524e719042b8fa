package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
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
 * @param config PEFT's settings, where they belong to these weights
 */
record AdapterFiles(Path weights, Optional<Path> config) {
    private static final Logger LOG = LoggerFactory.getLogger(AdapterFiles.class);

    private static final String CONFIG = "adapter_config.json";
    private static final String PEFT_WEIGHTS = "adapter_model.safetensors";
    private static final String DIFFUSERS_WEIGHTS = "pytorch_lora_weights.safetensors";

    /** What lies beside adapters and says nothing about their weights: texts, pictures and states of the training. */
    private static final Pattern WITHOUT_EFFECT = Pattern.compile("\\..*|README.*|LICENSE.*|model_card.*"
        + "|.*\\.(?:md|txt|png|jpe?g|webp|gif|mp4|yaml|yml|toml|log|csv)|checkpoint-\\d+|logs?|samples?|images?|runs"
        + "|training_args\\.bin|(?:optimizer|scheduler)\\.(?:bin|pt)|random_states_.*\\.pkl|rng_state.*"
        + "|(?:trainer_state|train_results|all_results)\\.json", Pattern.CASE_INSENSITIVE);

    /**
     * Finds them, and warns of what lies in an adapter's folder and is not read.
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
                warn(path, weights, Optional.empty());
            }
            return new AdapterFiles(weights, Optional.empty());
        }
        Path home = weights.toAbsolutePath().getParent();
        if (!isNamed(weights, PEFT_WEIGHTS) && safetensors(home).size() > 1) {
            LOG.warn("{} is not read for {}: it belongs to one of the other files there", beside, weights);
            return new AdapterFiles(weights, Optional.empty());
        }
        warn(home, weights, Optional.of(beside));
        return new AdapterFiles(weights, Optional.of(beside));
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
            // Refused as a pickle, with what to do, when it is opened.
            return Stream.of("adapter_model.bin", "pytorch_lora_weights.bin").map(folder::resolve)
                .filter(Files::exists).findFirst().orElseThrow(() -> new ModelException(folder
                    + " is no adapter's folder: it has neither " + PEFT_WEIGHTS + " nor " + DIFFUSERS_WEIGHTS));
        }
        if (candidates.size() > 1) {
            throw new ModelException(folder + " has more than one adapter: " + names(candidates)
                + "; name one of the files");
        }
        return candidates.getFirst();
    }

    private static List<Path> safetensors(Path folder) {
        return list(folder).stream().filter(file -> file.getFileName().toString().endsWith(".safetensors")).toList();
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        } catch (IOException e) {
            throw new ModelException("cannot list the folder " + folder + ": " + FileFailure.reason(e), e);
        }
    }

    private static void warn(Path folder, Path weights, Optional<Path> config) {
        List<Path> unread = list(folder).stream().filter(file -> !isNamed(file, weights.getFileName().toString())
            && !(config.isPresent() && isNamed(file, CONFIG))
            && !WITHOUT_EFFECT.matcher(file.getFileName().toString()).matches()).toList();
        if (!unread.isEmpty()) {
            LOG.warn("{} of the adapter in {} is not read", names(unread), folder);
        }
    }

    private static String names(List<Path> files) {
        return String.join(", ", files.stream().map(file -> file.getFileName().toString()).toList());
    }
}
