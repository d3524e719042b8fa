package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControlOptionsTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModels() {
        for (String family : List.of("sd15", "controlnet-sd15", "taesd")) {
            assertEquals(ExitCode.OK, CommandRun.of("model", "init", "--like", family, "--tiny", path(family)).code());
        }
        Image.of(1, 2, new byte[6]).write(folder.resolve("edges.png"));
    }

    private static String path(String name) {
        return folder.resolve(name).toString();
    }

    /** @param options in which NET and PICTURE are a ControlNet and a picture */
    private static CommandRun run(String command, String options) {
        List<String> args = new ArrayList<>(List.of(command, "a star", "--model", path("sd15"), "--steps", "2",
            "--scheduler", "ddim", "--plan", "sequential", "--size", "32x32"));
        Arrays.stream(options.split(" ")).filter(word -> !word.isEmpty()).map(word -> word
            .replace("NET", path("controlnet-sd15")).replace("PICTURE", path("edges.png"))).forEach(args::add);
        return CommandRun.of(args.toArray(String[]::new));
    }

    private static CommandRun generate(String options) {
        return run("generate", "--output " + path("star.png") + " " + options);
    }

    @Test
    void theReportSaysWhatSteered() {
        CommandRun text = generate("--controlnet NET --control PICTURE --control-range ..0.5 --guess");
        assertEquals("", text.err());
        assertTrue(text.out().contains("control  controlnet-sd15, scale 1, range 0..0.5, guessing\n"), text.out());
        List<JsonObject> controls = generate("--controlnet NET --controlnet NET --control PICTURE --control PICTURE "
            + "--control-scale 0.5 --control-range 0..0.5 --control-range 0.5.. --json").json()
            .getAsJsonArray("controls").asList().stream().map(it -> it.getAsJsonObject()).toList();
        assertEquals(List.of(0.5, 0.5), controls.stream().map(it -> it.get("scale").getAsDouble()).toList());
        assertEquals(List.of(0.0, 0.5), controls.stream().map(it -> it.get("from").getAsDouble()).toList());
        assertEquals(path("controlnet-sd15"), controls.getFirst().get("controlnet").getAsString());
        assertEquals(0, generate("--json").json().getAsJsonArray("controls").size());
    }

    @Test
    void thePlanShowsItsSegments() {
        CommandRun plan = run("plan", "--controlnet NET --control PICTURE");
        assertEquals("", plan.err());
        assertTrue(plan.out().contains("\ncontrolnet ") && plan.out().contains("\nunet "), plan.out());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--controlnet NET                                    | --controlnet needs a picture that steers; add --control",
        "--control-scale 2                                   | --control-scale needs a picture that steers; add",
        "--control-range 0..1                                | --control-range needs a picture that steers; add",
        "--guess                                             | --guess needs a picture that steers; add --control",
        "--control PICTURE                                   | but there is no ControlNet that would see them; add one",
        "--controlnet NET --control PICTURE --control PICTURE | has 1 ControlNet (controlnet-sd15) and the request",
        "--controlnet NET --control PICTURE --control-range 1 | takes two shares of the steps, like 0.2..0.8, not 1",
        "--controlnet NET --control PICTURE --control-range 0.8..0.2 | between 0 and 1, not from 0.8 to 0.2",
        "--controlnet NET --control PICTURE --control-scale 1 --control-scale 2 | comes 2 times, and --control once;",
        "--controlnet NET --control NET                      | controlnet-sd15",
        "--controlnet PICTURE --control PICTURE              | is a file; give the folder of a ControlNet",
        "--skip-scale 2                                      | --skip-scale needs blocks that are skipped; add --skip",
        "--skip-range 0..1                                   | --skip-range needs blocks that are skipped; add --skip",
        "--skip-layers 1 --skip-range 1                      | --skip-range takes two shares of the steps, like",
        "--skip-layers 1 --skip-range 0.5..0.2               | between 0 and 1, not from 0.5 to 0.2",
        "--skip-layers 1,-1                                  | are numbers of blocks from 0 on, at least one, not",
        "--skip-layers 1                                     | layers can be skipped in transformers of Stable"})
    void whatDoesNotFitIsRefusedInOneLine(String options, String words) {
        CommandRun run = generate(options);
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().contains(words), run.err());
    }

    @Test
    void layersAreSkippedWhereAModelCan() {
        String model = path("sd35");
        CommandRun.of("model", "init", "--like", "sd35-medium", "--tiny", model);
        CommandRun plan = CommandRun.of("plan", "--model", model, "--steps", "10", "--plan", "sequential",
            "--skip-layers", "1,2", "--skip-scale", "3", "--skip-range", "..0.5");
        assertEquals("", plan.err());
        assertTrue(plan.out().contains("\nskipping "), plan.out());
    }

    @Test
    void resultsDoNotTakeThePlaceOfWhatSteers() {
        CommandRun run = run("generate", "--controlnet NET --control PICTURE --output PICTURE");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("would take the place of " + path("edges.png")), run.err());
    }

    @Test
    void previewsHaveADecoderOfTheirOwn() {
        CommandRun run = generate("--preview 1 --preview-decoder " + path("taesd"));
        assertEquals("", run.err());
        assertTrue(Files.exists(folder.resolve("star.preview.png")));
        CommandRun refused = generate("--preview 1 --preview-decoder " + path("missing"));
        assertEquals(ExitCode.WRONG_USAGE, refused.code());
        assertTrue(refused.err().contains("missing is no folder of an autoencoder for previews"), refused.err());
    }

    @Test
    void aModelsOwnControlNetsAreShown() throws Exception {
        Path model = folder.resolve("own");
        CommandRun.of("model", "init", "--like", "sd15", "--tiny", model.toString());
        CommandRun.of("model", "init", "--like", "controlnet-sd15", "--tiny", model.resolve("controlnet").toString());
        Path index = model.resolve("model_index.json");
        Files.writeString(index, Files.readString(index).replaceFirst("\\{",
            "{\"controlnet\": [\"diffusers\", \"ControlNetModel\"],"));
        String shown = CommandRun.of("model", "show", model.toString()).out();
        assertTrue(shown.lines().anyMatch(line -> line.matches("controlnet +ControlNetModel +checkpoint .*")), shown);
        assertTrue(shown.contains("missing: nothing"), shown);
    }
}
