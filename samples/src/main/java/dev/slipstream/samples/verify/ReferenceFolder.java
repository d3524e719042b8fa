package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.DenoiserModel;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.graph.Cuts;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A folder of reference cases: a denoiser, noise schedulers, the inputs of the loop, and what comes out step by step.
 *
 * <pre>
 *   unet/model.onnx, config.json              the denoiser, or safetensors instead of the graph
 *   scheduler-NAME/scheduler_config.json      one a noise scheduler
 *   inputs.safetensors                        latents, conditions, and what the family adds to the latents
 *   cases.json                                steps, guidance_scale, timesteps a scheduler, cases
 *   expected.safetensors                      per case [steps, batch, channels, height, width]
 *   cuts.json                                 optional: parts for an architecture without published tables
 * </pre>
 *
 * Every method that reads throws {@link ModelException}, which names the file and the key. The owner closes it.
 */
public final class ReferenceFolder implements AutoCloseable {
    private final ModelFolder folder;
    private final DenoiserModel model;
    private final ConfigFile cases;
    private final SafetensorsFile inputs;
    private final SafetensorsFile expected;
    private final Map<String, NoiseTable> noise = new HashMap<>();

    private ReferenceFolder(ModelFolder folder, DenoiserModel model, ConfigFile cases, SafetensorsFile inputs,
        SafetensorsFile expected) {
        this.folder = folder;
        this.model = model;
        this.cases = cases;
        this.inputs = inputs;
        this.expected = expected;
    }

    static ReferenceFolder open(Path path, Optional<ComponentFormat> format) {
        return open(path, format, Precision.FP32);
    }

    /**
     * @param format what the denoiser is read from; empty for what there is, the graph first
     * @param precision in which it computes, whatever the expected numbers were made with
     */
    public static ReferenceFolder open(Path path, Optional<ComponentFormat> format, Precision precision) {
        ModelFolder folder = ModelFolder.open(path);
        ConfigFile cases = ConfigFile.read(folder.path().resolve("cases.json"));
        DenoiserModel model = DenoiserModel.read(folder,
            format.orElseGet(() -> ComponentFormat.of(folder.folder(Component.DENOISER)))).withPrecision(precision);
        SafetensorsFile inputs = SafetensorsFile.open(folder.path().resolve("inputs.safetensors"));
        try {
            return new ReferenceFolder(folder, model, cases, inputs,
                SafetensorsFile.open(folder.path().resolve("expected.safetensors")));
        } catch (RuntimeException failure) {
            inputs.close();
            throw failure;
        }
    }

    public DenoiserModel model() {
        return model;
    }

    public SafetensorsFile inputs() {
        return inputs;
    }

    Guidance guidance() {
        if (!cases.has("guidance_scale")) {
            throw cases.wrong("guidance_scale", "is missing");
        }
        return new Guidance(cases.number("guidance_scale", 1), cases.number("guidance_rescale", 0));
    }

    /** All cases: the sequential one of each noise scheduler first, then the listed ones in their order. */
    List<ReferenceCase> cases() {
        List<ReferenceCase> listed = cases.objects("cases").stream().map(ReferenceCase::read).toList();
        List<ReferenceCase> all = new ArrayList<>();
        for (String key : expected.tensors().keySet()) {
            if (key.endsWith(ReferenceCase.SEQUENTIAL) && listed.stream().noneMatch(it -> it.name().equals(key))) {
                all.add(ReferenceCase.sequential(key,
                    key.substring(0, key.length() - ReferenceCase.SEQUENTIAL.length())));
            }
        }
        all.addAll(listed);
        if (all.isEmpty()) {
            throw cases.wrong("cases", "lists no case, and expected.safetensors has no sequential one");
        }
        return List.copyOf(all);
    }

    /** Keys of {@code expected.safetensors} that no case names. */
    List<String> unnamed(List<ReferenceCase> all) {
        return expected.tensors().keySet().stream()
            .filter(key -> all.stream().noneMatch(it -> it.name().equals(key))).toList();
    }

    /** The noise scheduler's table for the folder's number of steps. */
    NoiseTable noise(String scheduler) {
        return noise.computeIfAbsent(scheduler, name -> {
            ConfigFile config = folder.noiseScheduler(name);
            NoiseTable table = NoiseScheduler.parse(config.root().toString(), config.path().toString())
                .table(cases.positiveInteger("steps"));
            if (table.needsNoise()) {
                throw new ModelException(config.path() + ": " + table.name() + " adds noise in every step, which "
                    + "reference folders do not hold");
            }
            return table;
        });
    }

    /** What {@code cases.json} says of the noise scheduler, as far as it is not what the table has. */
    List<String> differences(String scheduler) {
        return cases.object("schedulers").flatMap(all -> all.object(scheduler))
            .map(said -> PublishedTimesteps.differences(said, noise(scheduler), scheduler)).orElse(List.of());
    }

    /**
     * The latents after each step.
     *
     * @param latents shape of the latents: each step must have it
     */
    List<float[]> expected(ReferenceCase wanted, Shape latents) {
        StoredTensor tensor = expected.tensor(wanted.name());
        int steps = noise(wanted.scheduler()).steps();
        if (tensor.shape().elements() != steps * latents.elements() || tensor.shape().dim(0) != steps) {
            throw new ModelException(expected.path() + ": \"" + wanted.name() + "\" is " + tensor.shape() + ", but "
                + steps + " steps of latents " + latents + " are needed");
        }
        float[] all = tensor.toFloats();
        int size = Math.toIntExact(latents.elements());
        List<float[]> latentsOfSteps = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            latentsOfSteps.add(Arrays.copyOfRange(all, step * size, (step + 1) * size));
        }
        return latentsOfSteps;
    }

    /** @throws ModelException if neither the published tables nor {@code cuts.json} say how to cut for this case */
    void checkCut(ReferenceCase wanted) {
        boolean known = wanted.components() == 1
            || model.cuts().stream().anyMatch(cut -> cut.size() == wanted.components())
            || Cuts.reference(model.config(), wanted.components()).isPresent();
        if (!known) {
            throw new ModelException(folder.folder(Component.DENOISER).resolve("config.json") + ": there is no "
                + "published table that cuts such a denoiser into " + wanted.components() + " components, as case "
                + wanted.name() + " needs; write one into " + folder.path().resolve("cuts.json"));
        }
    }

    @Override
    public void close() {
        inputs.close();
        expected.close();
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
