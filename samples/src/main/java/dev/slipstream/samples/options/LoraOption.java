package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.samples.terminal.HelpLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The LoRAs that change the model, with their weights, and the embeddings that it learns words from. */
public final class LoraOption {
    @Option(names = "--lora", paramLabel = "FILE[:WEIGHT]", order = HelpLayout.MODEL + 1,
        description = "Merge this adapter (LoRA, LoCon, LoHa, LoKr, DoRA or full differences: safetensors in the "
            + "naming of kohya, LyCORIS, diffusers, PEFT or ComfyUI, or the folder of one) into the model's weights, a "
            + "checkpoint's; 1 is its whole weight. May be given several times.")
    private List<String> loras = List.of();

    @Option(names = "--lora-ignore-unknown", order = HelpLayout.MODEL + 2,
        description = "Leave out what a LoRA has for layers that the model does not have, instead of refusing it. What "
            + "would change the rest is never left out.")
    private boolean ignoring;

    @Option(names = "--embedding", paramLabel = "FILE[:WORD]", order = HelpLayout.MODEL + 6,
        description = "Let prompts have a word that textual inversion learned: safetensors as diffusers or the web UI "
            + "of AUTOMATIC1111 write them. Without WORD it is the file's own, or the name of the file. May be given "
            + "several times.")
    private List<String> embeddings = List.of();

    /** Adds the LoRAs and embeddings that are asked for, which are read. */
    public DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        pipeline.ignoreUnknownLoraLayers(ignoring);
        given().forEach(given -> pipeline.lora(given.file(), given.weight()));
        words().forEach(given -> pipeline.embedding(given.file(), given.word()));
        return pipeline;
    }

    /** The files that are read. */
    public List<Path> files() {
        return Stream.concat(words().stream().map(GivenWord::file), given().stream()
            .flatMap(given -> ResultFiles.ofComponent(given.file()).stream())).toList();
    }

    /** As {@code --lora} names one. */
    record Given(Path file, double weight) {
        static Given of(String option) {
            int colon = option.lastIndexOf(':');
            // A name may have a colon, as on Windows.
            String weight = option.substring(colon + 1);
            boolean weighted = colon > 0 && !Files.exists(Path.of(option)) && isNumber(weight);
            return weighted ? new Given(Path.of(option.substring(0, colon)), Double.parseDouble(weight))
                : new Given(Path.of(option), 1);
        }
    }

    /** As {@code --embedding} names one. */
    record GivenWord(Path file, String word) {
        static GivenWord of(String option) {
            int colon = option.lastIndexOf(':');
            boolean hasWord = colon > 0 && !Files.exists(Path.of(option))
                && Files.exists(Path.of(option.substring(0, colon)));
            return hasWord ? new GivenWord(Path.of(option.substring(0, colon)), option.substring(colon + 1))
                : new GivenWord(Path.of(option), "");
        }
    }

    private List<GivenWord> words() {
        return embeddings.stream().map(GivenWord::of).toList();
    }

    List<Given> given() {
        return loras.stream().map(Given::of).toList();
    }

    private static boolean isNumber(String text) {
        return text.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)");
    }
}
