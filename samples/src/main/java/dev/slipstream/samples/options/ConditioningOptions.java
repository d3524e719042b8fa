package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.Conditioning;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import picocli.CommandLine.Option;

/** How prompts are read, and what some models take beside them or instead: sizes and a crop, a class. */
public final class ConditioningOptions {
    private static final String OWN_SIZE = "leave it out for the picture's own size";

    @Option(names = "--prompt-weights", order = HelpLayout.TEXT,
        description = "Read brackets in prompts as attention: (word) 1.1 times, (word:1.3) 1.3 times, [word] 1.1 times "
            + "less, \\( a bracket itself. Without it brackets are text.")
    private boolean weights;

    @Option(names = "--long-prompts", order = HelpLayout.TEXT + 1,
        description = "Encode prompts whole that are too long for the text encoder, in several parts. Without it they "
            + "are cut, with a warning.")
    private boolean whole;

    @Option(names = "--clip-skip", paramLabel = "N", order = HelpLayout.TEXT + 2, defaultValue = "0",
        description = "Last layers of the text encoder to leave out, beyond those that the model leaves out anyway.")
    private int clipSkip;

    @Option(names = "--original-size", paramLabel = "WxH", order = HelpLayout.TEXT + 3,
        description = "SDXL: how large the picture is said to have been; small ones look blurred.")
    private String original;

    @Option(names = "--crop", paramLabel = "X,Y", order = HelpLayout.TEXT + 4,
        description = "SDXL: how many pixels are said to have been cut off, left and top (0,0).")
    private String crop;

    @Option(names = "--target-size", paramLabel = "WxH", order = HelpLayout.TEXT + 5,
        description = "SDXL: how large the picture is said to be.")
    private String target;

    @Option(names = "--class", paramLabel = "N|NAME", order = HelpLayout.TEXT + 6,
        description = "DiT: the class of which a picture is drawn, by number or name, instead of a PROMPT; a PROMPT "
            + "that is one says the same.")
    private String label;

    /** Whether a class is said. */
    boolean saysClass() {
        return label != null;
    }

    /** @throws InputException if a size or a corner cannot be read */
    public Conditioning conditioning() {
        Conditioning conditioning = Conditioning.DEFAULT.withClipSkip(clipSkip)
            .withWeights(weights).withWholePrompts(whole);
        if (original != null) {
            conditioning = conditioning.withOriginalSize(size("--original-size", original, OWN_SIZE));
        }
        if (crop != null) {
            int[] corner = corner();
            conditioning = conditioning.withCrop(corner[0], corner[1]);
        }
        if (target != null) {
            conditioning = conditioning.withTargetSize(size("--target-size", target, OWN_SIZE));
        }
        return label == null ? conditioning : conditioning.withClassLabel(label);
    }

    /** @param remedy what else the user can do, for the error */
    public static Size size(String option, String text, String remedy) {
        if (!text.strip().matches("\\d{1,6}[xX]\\d{1,6}")) {
            throw new InputException(option + " takes WIDTHxHEIGHT in pixels, like 512x768, not '" + text + "'; "
                + remedy);
        }
        String[] sides = text.strip().split("[xX]");
        return new Size(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }

    private int[] corner() {
        if (!crop.strip().matches("\\d{1,6},\\d{1,6}")) {
            throw new InputException("--crop takes X,Y in pixels, like 0,16, not '" + crop
                + "'; leave it out for no crop");
        }
        String[] parts = crop.strip().split(",");
        return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1])};
    }
}
