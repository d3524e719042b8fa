package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.ControlImage;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What steers the denoiser at some steps: layers that it skips, or ControlNets, and the pictures by which they steer.
 * With several ControlNets, options come once for each, in the same order; scale and range that come once are for all.
 */
public final class ControlOptions {
    private static final Pattern RANGE = Pattern.compile("(\\d*\\.?\\d+|\\d+\\.)?\\.\\.(\\d*\\.?\\d+)?");

    @Option(names = "--controlnet", paramLabel = "DIR", order = HelpLayout.CONTROL,
        description = "Steer the picture with this ControlNet, a folder with config.json and safetensors. May be given "
            + "several times; ControlNets in the model's own folder come before.")
    private List<Path> nets = List.of();

    @Option(names = "--control", paramLabel = "FILE", order = HelpLayout.CONTROL + 1,
        description = "A PNG or JPEG file that the ControlNet sees: edges, depths, a pose, as it was taught. It is "
            + "scaled to the picture. Once for each ControlNet, in their order.")
    private List<Path> pictures = List.of();

    @Option(names = "--control-scale", paramLabel = "S", order = HelpLayout.CONTROL + 2,
        description = "How much the ControlNet counts (1). Once for all, or once for each.")
    private List<Double> scales = List.of();

    @Option(names = "--control-range", paramLabel = "FROM..TO", order = HelpLayout.CONTROL + 3,
        description = "At which steps it steers, as shares of all (0..1); at others it does not run. Once for all, or "
            + "once for each.")
    private List<String> ranges = List.of();

    @Option(names = "--guess", order = HelpLayout.CONTROL + 4,
        description = "Steer the prediction with the prompt alone, by deep layers more than by others, so that the "
            + "prompt may be empty.")
    private boolean guess;

    @Mixin
    private LayerOptions layers = new LayerOptions();

    /** The folders and pictures that are read. */
    public List<Path> files() {
        return Stream.concat(nets.stream().flatMap(folder -> ResultFiles.ofComponent(folder).stream()),
            pictures.stream()).toList();
    }

    /** Whether nothing steers. */
    public boolean isEmpty() {
        return nets.isEmpty() && pictures.isEmpty() && layers.isEmpty();
    }

    /** Adds what is asked for. @throws InputException if options do not fit together */
    public DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        nets.forEach(pipeline::controlNet);
        return layers.apply(pipeline);
    }

    /** The request with the pictures. @throws InputException if options do not fit together */
    public ImageRequest apply(ImageRequest request) {
        if (pictures.isEmpty()) {
            String other = !scales.isEmpty() ? "--control-scale" : !ranges.isEmpty() ? "--control-range"
                : guess ? "--guess" : !nets.isEmpty() ? "--controlnet" : "";
            if (!other.isEmpty()) {
                throw new InputException(other + " needs a picture that steers; add --control FILE.png");
            }
            return request;
        }
        List<ControlImage> controls = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            ControlImage control = ControlImage.of(Image.read(pictures.get(i))).withGuessing(guess)
                .withScale(each("--control-scale", scales, 1.0, i));
            controls.add(range("--control-range", each("--control-range", ranges, "0..1", i), control::withRange));
        }
        return request.withControls(controls.toArray(ControlImage[]::new));
    }

    private <T> T each(String option, List<T> given, T otherwise, int index) {
        if (given.size() > 1 && given.size() != pictures.size()) {
            throw new InputException(option + " comes " + given.size() + " times, and --control "
                + (pictures.size() == 1 ? "once" : pictures.size() + " times") + "; give it once for all pictures, or "
                + "once for each");
        }
        return given.isEmpty() ? otherwise : given.get(given.size() == 1 ? 0 : index);
    }

    /** @param ranged what becomes of the two shares of the steps */
    static <T> T range(String option, String range, BiFunction<Double, Double, T> ranged) {
        Matcher parts = RANGE.matcher(range.strip().toLowerCase(Locale.ROOT));
        if (!parts.matches()) {
            throw new InputException(option + " takes two shares of the steps, like 0.2..0.8, not " + range);
        }
        return ranged.apply(parts.group(1) == null ? 0 : Double.parseDouble(parts.group(1)),
            parts.group(2) == null ? 1 : Double.parseDouble(parts.group(2)));
    }
}
