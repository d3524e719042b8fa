package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.Conditioning;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.Conditioning.Sizes;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How prompts are read, and what a model is told beside them. */
public final class ConditioningOptions {
    @Option(names = "--prompt-weights", order = 24,
        description = "Read brackets in prompts as attention: (word) 1.1 times, (word:1.3) 1.3 times, [word] 1.1 times "
            + "less, \\( a bracket itself. Without it brackets are text.")
    private boolean weights;

    @Option(names = "--long-prompts", order = 25,
        description = "Encode prompts whole that are too long for the text encoder, in several parts. Without it they "
            + "are cut, with a warning.")
    private boolean whole;

    @Option(names = "--clip-skip", paramLabel = "N", order = 40, defaultValue = "0",
        description = "Last layers of the text encoder to leave out, beyond those that the model leaves out anyway.")
    private int clipSkip;

    @Option(names = "--original-size", paramLabel = "WxH", order = 41,
        description = "SDXL: how large the picture is said to have been; small ones look blurred.")
    private String original;

    @Option(names = "--crop", paramLabel = "X,Y", order = 42,
        description = "SDXL: how many pixels are said to have been cut off, left and top (0,0).")
    private String crop;

    @Option(names = "--target-size", paramLabel = "WxH", order = 43,
        description = "SDXL: how large the picture is said to be.")
    private String target;

    /** @throws InputException if a size or a place is not one */
    public Conditioning conditioning() {
        Conditioning conditioning = Conditioning.DEFAULT.withClipSkip(clipSkip)
            .withReading(new PromptReading(weights, whole));
        if (original == null && crop == null && target == null) {
            return conditioning;
        }
        int[] corner = corner();
        return conditioning.withSizes(
            new Sizes(size("--original-size", original), corner[0], corner[1], size("--target-size", target)));
    }

    private static Optional<Size> size(String option, String text) {
        return text == null ? Optional.empty()
            : Optional.of(PixelSize.parse(option, text, "leave it out for the picture's own size"));
    }

    private int[] corner() {
        if (crop == null) {
            return new int[2];
        }
        if (!crop.strip().matches("\\d{1,6},\\d{1,6}")) {
            throw new InputException("--crop takes X,Y in pixels, like 0,16, not '" + crop
                + "'; leave it out for no crop");
        }
        String[] parts = crop.strip().split(",");
        return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1])};
    }
}
