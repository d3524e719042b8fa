package dev.slipstream.samples;

import dev.slipstream.pipelines.model.lora.Lora;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.lora.MergeStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Which LoRAs the model is changed with. */
public final class LoraOption {
    @Option(names = "--lora", paramLabel = "FILE[:WEIGHT]", order = 5,
        description = "Merge this adapter (LoRA, LoCon, LoHa, LoKr, DoRA or full differences: safetensors in the "
            + "naming of kohya, LyCORIS, diffusers, PEFT or ComfyUI, or the folder of one) into the model's weights, a "
            + "checkpoint's; 1 is its whole weight. May be given several times.")
    private List<String> loras = List.of();

    @Option(names = "--lora-ignore-unknown", order = 6,
        description = "Leave out what a LoRA has for layers that the model does not have, instead of refusing it. What "
            + "would change the rest is never left out.")
    private boolean ignoring;

    /** Those that are asked for, read. */
    public Loras loras() {
        Loras all = Loras.NONE.storedIn(MergeStore.ofUser());
        all = ignoring ? all.ignoringUnknown() : all;
        for (Given given : given()) {
            all = all.and(Lora.readAll(given.file()), given.weight());
        }
        return all;
    }

    /** The files that are read. */
    List<Path> files() {
        return given().stream().flatMap(given -> Overwriting.files(given.file()).stream()).toList();
    }

    private record Given(Path file, double weight) {
        static Given of(String option) {
            int colon = option.lastIndexOf(':');
            // A name may have a colon, as on Windows.
            String weight = option.substring(colon + 1);
            boolean weighted = colon > 0 && !Files.exists(Path.of(option)) && isNumber(weight);
            return weighted ? new Given(Path.of(option.substring(0, colon)), Double.parseDouble(weight))
                : new Given(Path.of(option), 1);
        }
    }

    private List<Given> given() {
        return loras.stream().map(Given::of).toList();
    }

    private static boolean isNumber(String text) {
        return text.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)");
    }
}
