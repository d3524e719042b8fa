package dev.slipstream.samples.reference;

import com.google.gson.JsonElement;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.ControlNets;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.family.Family;
import dev.slipstream.pipelines.diffusion.family.LoopForm;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder of reference cases: a denoiser, noise schedulers, the inputs of the loop, and what comes out step by step.
 *
 * <pre>
 *   unet/model.onnx, config.json              the denoiser, or safetensors instead of the graph; or transformer/
 *   controlnet/, controlnet_1/, ...           optional: likewise; one network with the denoiser
 *   scheduler-NAME/scheduler_config.json      one a noise scheduler
 *   inputs.safetensors                        latents, conditions, what the family adds to the latents, step_noise
 *   cases.json                                steps, guidance_scale, timesteps a scheduler, tolerance, cases
 *   expected.safetensors                      per case [steps, batch, channels, height, width]
 *   cuts.json                                 optional: parts for an architecture without published tables
 * </pre>
 *
 * Denoiser and noise schedulers may be in another folder, which {@code "model"} in {@code cases.json} names, and
 * {@code "inputs"} may name another file.
 *
 * Every method that reads throws {@link ModelException}, which names the file and the key. The owner closes it.
 */
public final class ReferenceFolder implements AutoCloseable {
    /** Timesteps are numbers up to a thousand in fp32. */
    private static final double TIMESTEP_TOLERANCE = 1e-3;
    /** Conditions that are one number for all rows: their keys in {@code cases.json}, and the denoiser's inputs. */
    private static final Map<String, String> NUMBERS = Map.of("embedded_guidance", "guidance",
        "controlnet_conditioning_scale", "conditioning_scale");
    private static final String GUIDANCE = "guidance_scale";
    private static final String FIRST_GUIDANCE = "min_guidance_scale";
    /** The result without the plan of a case, which is no case itself. */
    private static final String SEQUENTIAL = "sequential";
    private static final double SIGMA_TOLERANCE = 1e-5;

    private final ModelFolder folder;
    private final LoopForm form;
    private final DenoiserGraph model;
    private final LoopInputs loop;
    private final ConfigFile cases;
    private final ModelPlaces places;
    private final SafetensorsFile inputs;
    private final SafetensorsFile expected;
    private final boolean guided;
    private final Map<String, SafetensorsFile> otherInputs = new HashMap<>();
    private final Map<String, NoiseTable> noise = new HashMap<>();

    private ReferenceFolder(ModelFolder folder, DenoiserGraph read, ModelPlaces places, SafetensorsFile inputs,
        SafetensorsFile expected) {
        this.folder = folder;
        this.places = places;
        this.cases = places.cases();
        this.inputs = inputs;
        this.expected = expected;
        this.form = Family.of(read).form();
        this.model = form.adapt(read, channels(inputs));
        // Where no case is run, nobody needs to say how much guidance there is.
        this.guided = !cases.has(GUIDANCE) || guidance().weight() != 1;
        this.loop = LoopInputs.read(inputs, model, form, guided, numbers());
    }

    private static long channels(SafetensorsFile inputs) {
        Shape latents = inputs.tensor(LoopInputs.LATENTS).shape();
        return latents.rank() > 1 ? latents.dim(1) : 1;
    }

    /** With models where {@code cases.json} says they are. */
    public static ReferenceFolder open(Path path, Optional<ComponentFormat> format, Precision precision) {
        return open(path, Optional.empty(), format, precision);
    }

    /**
     * @param models where models are that {@code cases.json} names and that are not there where it stands; without it,
     *     the nearest folder above that has {@code reference/}
     * @param format what the denoiser is read from; empty for the graph if there is one, else the checkpoint
     * @param precision in which the denoiser computes; the expected numbers may be of another
     */
    public static ReferenceFolder open(Path path, Optional<Path> models, Optional<ComponentFormat> format,
        Precision precision) {
        ConfigFile cases = ConfigFile.read(path.toAbsolutePath().normalize().resolve("cases.json"));
        ModelPlaces places = new ModelPlaces(cases, models);
        ModelFolder folder = ModelFolder.open(places.of("model", "."));
        ComponentFormat form = format.orElseGet(() -> ComponentFormat.of(folder.folder(Component.DENOISER)));
        Map<String, Graph> controls = ControlNets.beside(folder.path(), form);
        DenoiserGraph model = (controls.isEmpty() ? DenoiserGraph.read(folder, form)
            : ControlNets.denoiser(folder, form, controls)).withPrecision(precision);
        SafetensorsFile inputs = SafetensorsFile.open(places.of("inputs",
            cases.objects("cases").stream().flatMap(entry -> entry.text("inputs").stream()).findFirst()
                .orElse("inputs.safetensors")));
        try {
            SafetensorsFile expected = SafetensorsFile.open(cases.path().resolveSibling("expected.safetensors"));
            try {
                return new ReferenceFolder(folder, model, places, inputs, expected);
            } catch (RuntimeException failure) {
                expected.close();
                throw failure;
            }
        } catch (RuntimeException failure) {
            inputs.close();
            throw failure;
        }
    }

    /** The denoiser, as every loop calls it. */
    public DenoiserGraph model() {
        return model;
    }

    /** What its loop reads, if a case names no other. */
    public LoopInputs loop() {
        return loop;
    }

    /** What the loop of a case reads. */
    public LoopInputs loop(ReferenceCase wanted) {
        return wanted.inputs().map(said -> places.place(said, "inputs"))
            .filter(path -> !path.equals(inputs.path()))
            .map(path -> LoopInputs.read(otherInputs.computeIfAbsent(path.toString(),
                key -> SafetensorsFile.open(path)), model, form, guided, numbers())).orElse(loop);
    }

    /** How much each step may differ. */
    public Tolerance tolerance() {
        return Tolerance.of(cases);
    }

    /** Conditions that {@code cases.json} has as numbers. */
    private Map<String, Double> numbers() {
        Map<String, Double> numbers = new HashMap<>();
        NUMBERS.forEach((key, input) -> {
            if (cases.has(key)) {
                numbers.put(input, cases.number(key, 1));
            }
        });
        return numbers;
    }

    public Guidance guidance() {
        if (!cases.has(GUIDANCE)) {
            throw cases.wrong(GUIDANCE, "is missing");
        }
        double weight = cases.number(GUIDANCE, 1);
        if (cases.has(FIRST_GUIDANCE)) {
            if (!form.frames().areThere()) {
                throw cases.wrong(FIRST_GUIDANCE, "is for videos, of whose frames the first has this guidance");
            }
            int frames = Math.toIntExact(inputs.tensor(LoopInputs.LATENTS).shape().dim(form.frames().axis()));
            return Guidance.growing(cases.number(FIRST_GUIDANCE, 1), weight, frames);
        }
        return new Guidance(weight, cases.number("guidance_rescale", 0));
    }

    /**
     * The sequential case of each noise scheduler first, then the listed ones in their order, but for those that are
     * {@link #unknown}.
     *
     * @param wanted names of those that are wanted, of which alone the settings are read; empty for all
     * @throws ModelException also if there is no case of such a name
     */
    public List<ReferenceCase> cases(List<String> wanted) {
        List<String> listed = cases.objects("cases").stream().map(ReferenceCase::name).toList();
        List<String> names = new ArrayList<>(expected.tensors().keySet().stream()
            .filter(key -> key.endsWith(ReferenceCase.SEQUENTIAL) && !listed.contains(key)).toList());
        int sequential = names.size();
        names.addAll(listed);
        wanted.stream().filter(name -> !names.contains(name)).findFirst().ifPresent(name -> {
            throw new ModelException(cases.path() + " has no case " + name + "; there are " + String.join(", ", names));
        });
        List<ReferenceCase> all = new ArrayList<>();
        names.subList(0, sequential).stream().filter(name -> wanted.isEmpty() || wanted.contains(name))
            .map(ReferenceCase::sequential).forEach(all::add);
        listed(wanted).filter(entry -> ReferenceCase.problem(entry).isEmpty())
            .map(entry -> ReferenceCase.read(entry, this::timesteps)).forEach(all::add);
        if (all.isEmpty() && unknown(wanted).isEmpty()) {
            throw cases.wrong("cases", "lists no case, and expected.safetensors has no sequential one");
        }
        return List.copyOf(all);
    }

    private Stream<ConfigFile> listed(List<String> wanted) {
        return cases.objects("cases").stream()
            .filter(entry -> wanted.isEmpty() || wanted.contains(ReferenceCase.name(entry)));
    }

    /** Names of wanted cases that are of a kind that is not known, and which kind that is. */
    public Map<String, String> unknown(List<String> wanted) {
        Map<String, String> problems = new LinkedHashMap<>();
        listed(wanted).forEach(entry -> ReferenceCase.problem(entry)
            .ifPresent(problem -> problems.put(ReferenceCase.name(entry), problem)));
        return problems;
    }

    /** Keys of {@code expected.safetensors} that no case names. */
    public List<String> unnamed() {
        List<String> names = cases.objects("cases").stream()
            .flatMap(entry -> Stream.concat(Stream.of(ReferenceCase.name(entry)), entry.text(SEQUENTIAL).stream()))
            .toList();
        return expected.tensors().keySet().stream()
            .filter(key -> !names.contains(key) && !key.endsWith(ReferenceCase.SEQUENTIAL)).toList();
    }

    /** The noise scheduler's table for the folder's number of steps. */
    public NoiseTable noise(String scheduler) {
        return noise.computeIfAbsent(scheduler, name -> {
            ConfigFile config = folder.noiseScheduler(name);
            NoiseScheduler scheduled = NoiseScheduler.parse(config.root().toString(), config.path().toString());
            NoiseTable table = form.noise(scheduled, model, loop.latents().shape())
                .table(cases.positiveInteger("steps"));
            if (table.needsNoise() && loop.noise().isEmpty()) {
                throw new ModelException(config.path() + ": " + table.name() + " adds noise in every step, and "
                    + inputs.path() + " has no " + LoopInputs.NOISE);
            }
            loop.noise().filter(noise -> table.needsNoise()).ifPresent(noise -> checkNoise(noise, table.steps()));
            return table;
        });
    }

    /** Those of the noise scheduler, whatever the denoiser makes of them. */
    private List<Double> timesteps(String scheduler) {
        return noise(scheduler).rows().stream().map(NoiseTable.Row::timestep).toList();
    }

    private void checkNoise(StoredTensor noise, int steps) {
        if (noise.shape().elements() != steps * loop.latents().shape().elements()) {
            throw new ModelException(inputs.path() + ": \"" + LoopInputs.NOISE + "\" is " + noise.shape() + ", but "
                + steps + " steps of latents " + loop.latents().shape() + " are needed");
        }
    }

    /** Where {@code cases.json} differs from the table of the noise scheduler. */
    public List<String> differences(String scheduler) {
        return cases.object("schedulers").flatMap(all -> all.object(scheduler))
            .map(said -> differences(said, noise(scheduler), scheduler)).orElse(List.of());
    }

    /** @return one sentence for each difference */
    private static List<String> differences(ConfigFile said, NoiseTable table, String scheduler) {
        List<String> found = new ArrayList<>();
        List<JsonElement> timesteps = said.list("timesteps");
        if (!timesteps.isEmpty() && timesteps.size() != table.steps()) {
            found.add("scheduler " + scheduler + ": cases.json has " + timesteps.size() + " timesteps, the table "
                + table.steps());
        } else {
            for (int step = 0; step < timesteps.size(); step++) {
                double wanted = number(said, timesteps.get(step));
                double here = table.rows().get(step).timestep();
                if (!(Math.abs(wanted - here) <= TIMESTEP_TOLERANCE)) {
                    found.add(sentence(scheduler, "timestep " + (step + 1), wanted, here));
                }
            }
        }
        double sigma = said.number("init_noise_sigma", table.initialScale());
        if (!(Math.abs(sigma - table.initialScale()) <= SIGMA_TOLERANCE * Math.abs(sigma))) {
            found.add(sentence(scheduler, "init_noise_sigma", sigma, table.initialScale()));
        }
        return found;
    }

    private static double number(ConfigFile said, JsonElement element) {
        if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
            return element.getAsDouble();
        }
        throw said.wrong("timesteps", "must be a list of numbers, but has " + element);
    }

    private static String sentence(String scheduler, String what, double said, double here) {
        return String.format(Locale.ROOT, "scheduler %s: %s is %s in cases.json, %s here", scheduler, what, said, here);
    }

    /**
     * The latents after each step.
     *
     * @param latents shape of the latents: each step must have it
     */
    public List<float[]> expected(ReferenceCase wanted, Shape latents) {
        StoredTensor tensor = expected.tensor(wanted.name());
        int steps = noise(wanted.scheduler()).steps();
        if (tensor.shape().elements() != steps * latents.elements() || tensor.shape().dim(0) != steps) {
            throw new ModelException(expected.path() + ": \"" + wanted.name() + "\" is " + tensor.shape() + ", but "
                + steps + " steps of latents " + latents + " are needed");
        }
        float[] all = PackedLatents.of(inputs, form).map(packed -> packed.unpacked(tensor.toFloats(), latents))
            .orElseGet(tensor::toFloats);
        int size = Math.toIntExact(latents.elements());
        List<float[]> latentsOfSteps = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            latentsOfSteps.add(Arrays.copyOfRange(all, step * size, (step + 1) * size));
        }
        return latentsOfSteps;
    }

    /** @throws ModelException if neither the published tables nor {@code cuts.json} say how to cut for this case */
    public void checkCut(ReferenceCase wanted) {
        boolean known = wanted.components() == 1
            || model.cuts().stream().anyMatch(cut -> cut.size() == wanted.components())
            || Cuts.reference(model.config(), wanted.components()).isPresent();
        if (!known) {
            throw new ModelException(folder.folder(Component.DENOISER).resolve("config.json") + ": there is no "
                + "published table that cuts such a denoiser into " + wanted.components() + " components, as case "
                + wanted.name() + " needs; write one into " + folder.path().resolve("cuts.json"));
        }
    }

    /**
     * Where {@code cases.json} says that a model or its inputs are.
     *
     * @param root see {@link #open}
     */
    private record ModelPlaces(ConfigFile cases, Optional<Path> root) {
        /** What a key names; if it is not there, the usual. */
        Path of(String key, String otherwise) {
            return place(cases.text(key).orElse(otherwise), key);
        }

        /** @param key under which it was said */
        Path place(String said, String key) {
            Path own = cases.path().resolveSibling(said).normalize();
            if (Files.exists(own)) {
                return own;
            }
            Path below = Path.of(said).normalize();
            while (below.getNameCount() > 1 && below.startsWith("..")) {
                below = below.subpath(1, below.getNameCount());
            }
            Path from = root.or(this::nearest).map(folder -> folder.toAbsolutePath().normalize()).orElse(null);
            if (from == null || !Files.exists(from.resolve(below))) {
                throw cases.wrong(key, "names " + said + ", which is not there" + (from == null ? ""
                    : ", nor is " + from.resolve(below)) + "; say with --models where the folder of models is");
            }
            return from.resolve(below);
        }

        private Optional<Path> nearest() {
            Path folder = cases.path().getParent();
            while (folder != null && !Files.isDirectory(folder.resolve("reference"))) {
                folder = folder.getParent();
            }
            return Optional.ofNullable(folder);
        }
    }

    @Override
    public void close() {
        inputs.close();
        otherInputs.values().forEach(SafetensorsFile::close);
        expected.close();
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
