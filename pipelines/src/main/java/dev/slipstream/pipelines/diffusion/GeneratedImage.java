package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Plan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A picture and how it came about. Immutable; any thread may use it.
 *
 * <p>Times, {@link #copiedBytes} and {@link #steps} are of the whole batch ({@link #batch}); where a refiner took part,
 * its share is in them.
 */
public final class GeneratedImage {
    private final Image image;
    private final ImageRequest request;
    private final Circumstances all;

    /** @param request draws this picture alone, with its own seed and a batch of 1 */
    GeneratedImage(Image image, ImageRequest request, Circumstances all) {
        this.image = image;
        this.request = request;
        this.all = all;
    }

    /** The pictures of a request, in the order of their seeds. */
    static List<GeneratedImage> all(List<Image> images, ImageRequest request, Circumstances all) {
        return IntStream.range(0, images.size())
            .mapToObj(index -> new GeneratedImage(images.get(index), request.forPicture(index), all)).toList();
    }

    /** What pictures that were drawn together have in common. */
    record Circumstances(int batch, String model, List<Adapter> adapters, List<Control> controls, String scheduler,
        DataType precision, Plan plan, List<String> devices, int steps, long copiedBytes, Duration build,
        Duration text, Duration loop, Duration decode, Optional<Refinement> refinement,
        Map<String, List<Integer>> rested, List<Integer> window, CacheReport cache) {
        /**
         * What made a picture or a video, by keyword.
         *
         * @param size in pixels
         * @param own what only such a request says
         */
        Map<String, String> metadata(RequestCore request, String size, Map<String, String> own) {
            Map<String, String> settings = new LinkedHashMap<>();
            settings.put("Steps", Integer.toString(request.steps().orElseThrow()));
            settings.put("Sampler", scheduler);
            settings.put("CFG scale", Double.toString(request.guidance().weight()));
            if (request.guidance().isRescaled()) {
                settings.put("CFG rescale", Double.toString(request.guidance().rescale()));
            }
            settings.put("Seed", Long.toString(request.seed().orElseThrow()));
            settings.put("Size", size);
            settings.putAll(own);
            putReading(request.conditioning(), settings);
            settings.put("Model", model);
            if (!adapters.isEmpty()) {
                settings.put("Lora", adapters.stream().map(Adapter::toString).collect(Collectors.joining(", ")));
            }
            for (int i = 0; i < controls.size(); i++) {
                settings.put("ControlNet " + i, controls.get(i).text());
            }
            refinement.ifPresent(second -> {
                settings.put("Refiner", second.model());
                settings.put("Refiner switch at", Double.toString(second.handover()));
            });
            cache.source().ifPresent(source -> settings.put("Cache", source.entry()
                + (source.finished() ? " finished, from step " : " from step ") + source.step()));
            settings.put("Plan", plan.strategy());
            if (precision != DataType.FLOAT32) {
                settings.put("Precision", Precision.of(precision).toString());
            }
            String version = GeneratedImage.class.getPackage().getImplementationVersion();
            settings.put("Version", version == null ? "slipstream" : "slipstream " + version);
            return Map.of(GenerationParameters.KEYWORD,
                new GenerationParameters(request.prompt(), request.negative(), settings).text());
        }

        /** How the prompts were read, as far as that is not the usual. */
        private static void putReading(Conditioning conditioning, Map<String, String> settings) {
            conditioning.classLabel().ifPresent(label -> settings.put("Class", label));
            if (conditioning.clipSkip() > 0) {
                // Those tools count the layer that is read from the end, so that 1 is the last.
                settings.put("Clip skip", Integer.toString(conditioning.clipSkip() + 1));
            }
            if (conditioning.readsWeights()) {
                settings.put("Prompt weights", "read");
            }
            if (conditioning.readsWhole()) {
                settings.put("Long prompts", "whole");
            }
        }
    }

    /**
     * A LoRA that was merged into the model.
     *
     * @param name that of its file or folder
     * @param file where it was read
     * @param weight 1 as it was trained
     */
    public record Adapter(String name, Path file, double weight) {
        /** As the command line takes it, without the folder: {@code style.safetensors:0.8}. */
        @Override
        public String toString() {
            return name + ":" + weight;
        }
    }

    /**
     * A ControlNet that steered the picture.
     *
     * @param name that of its folder
     * @param folder where it was read
     * @param picture what it was given
     */
    public record Control(String name, Path folder, ControlImage picture) {
        /** As AUTOMATIC1111's web UI writes it. */
        private String text() {
            return "Model: " + name + ", Weight: " + picture.scale() + ", Guidance Start: " + picture.from()
                + ", Guidance End: " + picture.to() + (picture.guesses() ? ", Guess Mode: True" : "");
        }
    }

    /**
     * How a second model took part in a picture.
     *
     * @param model name of the refiner
     * @param handover where it took over, as a share of the way from noise to picture
     * @param scheduler name of its noise scheduler
     * @param steps how many it took, the last ones
     */
    public record Refinement(String model, double handover, String scheduler, Plan plan, int steps) {
    }

    public Image image() {
        return image;
    }

    /** Draws this picture alone, the same up to rounding: its own seed, and a batch of 1. */
    public ImageRequest request() {
        return request;
    }

    /** The seed of this picture. */
    public long seed() {
        return request.seed().orElseThrow();
    }

    /** Pictures that were drawn together with it, itself included. */
    public int batch() {
        return all.batch;
    }

    /** Name of the model. */
    public String model() {
        return all.model;
    }

    /** The LoRAs that were merged into it. */
    public List<Adapter> adapters() {
        return all.adapters;
    }

    /** The ControlNets that steered it. */
    public List<Control> controls() {
        return all.controls;
    }

    /** Name of the noise scheduler that was used. */
    public String scheduler() {
        return all.scheduler;
    }

    /** In which the denoiser computed. */
    public DataType precision() {
        return all.precision;
    }

    public Plan plan() {
        return all.plan;
    }

    /** Names of the devices, in the plan's order. */
    public List<String> devices() {
        return all.devices;
    }

    /** Steps that were taken: fewer than the request says where it starts from a picture. */
    public int steps() {
        return all.steps;
    }

    /**
     * Where the loop decided when stages of the plan run: the steps, from 0, at which each of them rested, by its
     * label. Empty for plans that decide nothing.
     */
    public Map<String, List<Integer>> rested() {
        return all.rested;
    }

    /**
     * Where the loop decided which steps lie in the plan's asynchronous window: these, from 0. Empty for plans that do
     * not decide that, and if the loop ended before.
     */
    public List<Integer> window() {
        return all.window;
    }

    /** What the pipeline's cache of latents had to do with it. */
    public CacheReport cache() {
        return all.cache;
    }

    /** Bytes that went from one device to another. */
    public long copiedBytes() {
        return all.copiedBytes;
    }

    /** Time for making engines and loop ready: next to nothing where an earlier request left them. */
    public Duration buildTime() {
        return all.build;
    }

    /** Time for the text encoders. */
    public Duration textTime() {
        return all.text;
    }

    /** Time for the denoising steps. */
    public Duration loopTime() {
        return all.loop;
    }

    /** Time for the image decoder. */
    public Duration decodeTime() {
        return all.decode;
    }

    /** What a refiner had to do with it. */
    public Optional<Refinement> refinement() {
        return all.refinement;
    }

    /**
     * What made the picture, by keyword, as {@link #write} puts it into a file: {@code parameters} is the text that
     * AUTOMATIC1111's web UI writes and other tools read.
     */
    public Map<String, String> metadata() {
        Map<String, String> own = new LinkedHashMap<>();
        request.given().filter(picture -> all.steps < request.saidSteps()).ifPresent(picture ->
            own.put("Denoising strength", Double.toString(picture.usedStrength())));
        return all.metadata(request.drawing().core(), image.toString(), own);
    }

    /**
     * Writes the picture and what made it, whole or not at all, in the format that the file's name ends with: PNG, or
     * JPEG, which keeps no metadata.
     *
     * @throws IllegalArgumentException if the name has another ending
     * @throws java.io.UncheckedIOException which says why the file cannot be written
     */
    public void write(Path file) {
        image.write(file, metadata());
    }

    /**
     * The settings that made a picture, in the format that AUTOMATIC1111's web UI writes into its files and other tools
     * read.
     *
     * @param prompt may have several lines
     * @param negativePrompt empty for none
     * @param settings such as {@code Steps}, {@code Sampler}, {@code CFG scale}, {@code Seed}, {@code Size}, {@code
     *     Model}, {@code Version}, in the order in which they are written
     */
    record GenerationParameters(String prompt, String negativePrompt, Map<String, String> settings) {
        /** The keyword of the text in a picture's metadata. */
        static final String KEYWORD = "parameters";

        GenerationParameters {
            settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        }

        /** Prompt, negative prompt and settings, each on lines of its own. */
        String text() {
            StringBuilder text = new StringBuilder(prompt.strip());
            if (!negativePrompt.isBlank()) {
                text.append("\nNegative prompt: ").append(negativePrompt.strip());
            }
            String separator = "\n";
            for (Map.Entry<String, String> setting : settings.entrySet()) {
                text.append(separator).append(setting.getKey()).append(": ").append(quoted(setting.getValue()));
                separator = ", ";
            }
            return text.toString();
        }

        /** Readers split the settings at commas and colons, unless they stand in quotes. */
        private static String quoted(String value) {
            if (value.chars().noneMatch(c -> c == ',' || c == ':' || c == '\n' || c == '"')) {
                return value;
            }
            return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
        }
    }
}
