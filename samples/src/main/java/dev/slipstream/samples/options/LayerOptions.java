package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.LayerGuidance;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.util.List;
import picocli.CommandLine.Option;

/** Layers that a model skips at some steps. */
final class LayerOptions {
    @Option(names = "--skip-layers", paramLabel = "N", split = ",", order = HelpLayout.PICTURE + 11,
        description = "Skip-layer guidance: let these blocks count for more, by predicting without them, too, at some "
            + "of the first steps. 7,8,9 with Stable Diffusion 3.5 medium; Stable Diffusion 3 and 3.5 alone can.")
    private List<Integer> blocks = List.of();

    @Option(names = "--skip-scale", paramLabel = "S", order = HelpLayout.PICTURE + 12,
        description = "How much more they count (2.8).")
    private Double scale;

    @Option(names = "--skip-range", paramLabel = "FROM..TO", order = HelpLayout.PICTURE + 13,
        description = "At which steps, as shares of all (0.01..0.2).")
    private String range;

    boolean isEmpty() {
        return blocks.isEmpty();
    }

    /** Adds what is asked for. @throws InputException if options do not fit together */
    DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        if (blocks.isEmpty()) {
            if (scale != null || range != null) {
                throw new InputException((scale != null ? "--skip-scale" : "--skip-range") + " needs blocks that are "
                    + "skipped; add --skip-layers 7,8,9");
            }
            return pipeline;
        }
        LayerGuidance layers = LayerGuidance.of(blocks.stream().mapToInt(Integer::intValue).toArray());
        LayerGuidance scaled = scale == null ? layers : layers.withScale(scale);
        return pipeline.layerGuidance(range == null ? scaled : ControlOptions.range("--skip-range", range,
            scaled::withRange));
    }
}
