package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
    private static final String PROMPT = "a large red star on a blue background";

    @TempDir
    private Path folder;

    private CommandRun generate(String... options) {
        List<String> args = new ArrayList<>(List.of("generate", PROMPT, "--model", CommandRun.MODEL.toString(),
            "--steps", "2", "--output", picture("picture").toString()));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    private Path picture(String name) {
        return folder.resolve(name + ".png");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void guardsAndPatienceChangeNothingWhereAllIsWell() throws IOException {
        assertEquals(ExitCode.OK, generate("--seed", "7").code());
        byte[] plain = Files.readAllBytes(picture("picture"));
        CommandRun run = generate("--seed", "7", "--guard", "--step-timeout", "60");
        assertEquals("", run.err());
        assertArrayEquals(plain, Files.readAllBytes(picture("picture")));
    }

    @Test
    void whatRanInTheLoopIsDrawnAndTracedAndChangesNothing() throws IOException {
        assertEquals(ExitCode.OK, generate("--seed", "7").code());
        byte[] plain = Files.readAllBytes(picture("picture"));

        CommandRun run = generate("--seed", "7", "--timeline", folder.resolve("loop.svg").toString(), "--trace",
            folder.resolve("loop.json").toString());

        assertEquals(ExitCode.OK, run.code(), run.err());
        assertArrayEquals(plain, Files.readAllBytes(picture("picture")));
        assertTrue(run.out().contains("trace    " + folder.resolve("loop.json")), run.out());
        assertTrue(run.out().contains("timeline " + folder.resolve("loop.svg")), run.out());
        assertTrue(Files.readString(folder.resolve("loop.svg")).contains(", step 2, "));
        JsonObject trace = JsonParser.parseString(Files.readString(folder.resolve("loop.json"))).getAsJsonObject();
        assertTrue(trace.getAsJsonArray("traceEvents").asList().stream()
            .anyMatch(event -> event.getAsJsonObject().get("cat").getAsString().equals("stage")));
    }

    @Test
    void aPictureThatATileCoversIsTheSame() throws IOException {
        assertEquals(ExitCode.OK, generate("--seed", "7").code());
        byte[] plain = Files.readAllBytes(picture("picture"));
        assertEquals(ExitCode.OK, generate("--seed", "7", "--tiles", "auto").code());
        assertArrayEquals(plain, Files.readAllBytes(picture("picture")));
    }

    @Test
    void aStepWithoutTimeIsRefused() throws IOException {
        CommandRun run = generate("--step-timeout", "0");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("--step-timeout takes 1 to 86400 seconds, not 0"), run.err());
        assertEquals(List.of(), files());
    }

    @Test
    void aPictureIsWrittenLargeEnoughToBeSeen() throws IOException {
        CommandRun run = generate("--seed", "7");
        assertEquals("", run.err());
        assertEquals(ExitCode.OK, run.code());
        BufferedImage image = ImageIO.read(picture("picture").toFile());
        assertEquals(256, image.getWidth());
        assertEquals(256, image.getHeight());
        assertEquals(List.of("picture.png"), files());
    }

    @Test
    void aPictureTellsWhatMadeIt() throws IOException {
        generate("--seed", "7", "--negative", "a circle");
        String text = PngText.parameters(picture("picture"));
        assertTrue(text.startsWith(PROMPT + "\nNegative prompt: a circle\nSteps: 2, Sampler: ddim, CFG scale: 4.0, "
            + "Seed: 7, Size: 32x32, Model: model, "), text);
    }

    @Test
    void whereALoopDecidesItIsSaidAtHowManyStepsThePartRan() {
        CommandRun run = generate("--plan", "cache:decide=first-block,threshold=1000,warmup=1", "--devices", "1");
        assertTrue(run.out().matches("(?s).* c1 +on [^\\n]*, ran at 1 of 2 steps\\n.*"), run.out());
        assertEquals(1, generate("--plan", "cache:decide=first-block,threshold=1000,warmup=1", "--devices", "1",
            "--json").json().getAsJsonArray("stages").get(1).getAsJsonObject().get("ran").getAsInt());
    }

    @Test
    void whereALoopDecidesItIsSaidAtWhichStepTheWindowBegan() {
        String[] command = {"generate", PROMPT, "--model", CommandRun.MODEL.toString(), "--steps", "7", "--devices",
            "2", "--plan", "hybridiff:decide=distance,lookback=1,threshold=0,latest=4,length=2", "--output",
            picture("picture").toString()};
        String text = CommandRun.of(command).out();
        assertTrue(text.contains("\nwindow   began at step 5 of 7 and had 2 steps, as the loop decided\n"), text);
        assertTrue(text.matches("(?s).* c0- +on [^\\n]*, ran at 5 of 7 steps\n.*"), text);
        assertTrue(text.matches("(?s).* c0\\+\\(window\\) +on [^\\n]*, ran at 2 of 7 steps\n.*"), text);
        String[] json = Arrays.copyOf(command, command.length + 1);
        json[command.length] = "--json";
        assertEquals("[4,5]", CommandRun.of(json).json().get("window").toString());
        String none = generate("--devices", "2", "--plan", "hybridiff:decide=distance").out();
        assertTrue(none.contains("\nwindow   none of the 2 steps\n"), none);
    }

    @Test
    void thePrecisionIsInTheReportAndInThePicture() throws IOException {
        CommandRun run = generate("--precision", "fp16", "--plan", "sequential", "--devices", "1", "--guard");
        assertEquals("", run.err());
        assertTrue(run.out().startsWith("plan     sequential, 2 steps of ddim, guidance 4, fp16\n"), run.out());
        assertTrue(PngText.parameters(picture("picture")).contains("Precision: fp16"));
    }

    @Test
    void brainHalvesAreRefusedOnCpusWithWhatWorksThere() {
        CommandRun run = generate("--precision", "bf16");
        assertEquals(ExitCode.FAILED, run.code());
        assertTrue(run.err().contains("the device does not compute in bf16; take fp32 or fp16"), run.err());
        assertEquals(1, run.complaints().size(), run.err());
    }

    @Test
    void theReportSaysWhatRanWhereAndWhereThePictureIs() {
        String plan = "asyncdiff:warmup=1,cut=contiguous";
        CommandRun run = generate("--seed", "7", "--plan", plan, "--devices", "2");
        assertTrue(run.out().startsWith("plan     " + plan + ", 2 steps of ddim, guidance 4\n"), run.out());
        assertTrue(run.out().contains("c0 on cpu:"), run.out());
        assertTrue(run.out().contains("c1 on cpu:"), run.out());
        assertTrue(run.out().contains("engines ") && run.out().contains(" decoding "), run.out());
        assertTrue(run.out().contains(picture("picture") + " (32x32 pixels, enlarged 8 times, seed 7)"), run.out());
    }

    @Test
    void picturesAreNumberedAndHaveSeedsInARow() throws IOException {
        JsonObject result = generate("--count", "3", "--seed", "7", "--json").json();
        assertEquals(List.of("picture-1.png", "picture-2.png", "picture-3.png"), files());
        JsonArray pictures = result.getAsJsonArray("pictures");
        List<Long> seeds = pictures.asList().stream().map(JsonElement::getAsJsonObject)
            .map(entry -> entry.get("seed").getAsLong()).toList();
        assertEquals(List.of(7L, 8L, 9L), seeds);
        assertTrue(PngText.parameters(picture("picture-3")).contains("Seed: 9,"));
        assertNotEquals(Arrays.hashCode(Files.readAllBytes(picture("picture-1"))),
            Arrays.hashCode(Files.readAllBytes(picture("picture-2"))));
    }

    @Test
    void aBatchIsDrawnTogetherAndItsPicturesAreThoseDrawnOneByOne() throws IOException {
        JsonObject result = generate("--count", "4", "--batch", "2", "--seed", "7", "--json", "--preview", "1").json();
        assertEquals(2, result.get("batch").getAsInt());
        assertEquals(4, result.getAsJsonArray("pictures").size());
        assertEquals(List.of("picture-1.png", "picture-1.preview.png", "picture-2.png", "picture-2.preview.png",
            "picture-3.png", "picture-3.preview.png", "picture-4.png", "picture-4.preview.png"), files());
        String last = PngText.parameters(picture("picture-4"));
        assertTrue(last.contains("Seed: 10,"), last);
        BufferedImage together = ImageIO.read(picture("picture-4").toFile());
        generate("--seed", "10");
        BufferedImage alone = ImageIO.read(picture("picture").toFile());
        for (int pixel = 0; pixel < 256; pixel++) {
            Color one = new Color(together.getRGB(pixel, pixel));
            Color other = new Color(alone.getRGB(pixel, pixel));
            assertEquals(other.getRed(), one.getRed(), 2);
            assertEquals(other.getBlue(), one.getBlue(), 2);
        }
    }

    @Test
    void withoutACountABatchIsAllThatIsDrawnAndTheReportHasItsTimeOnce() throws IOException {
        CommandRun run = generate("--batch", "3");
        assertEquals("", run.err());
        assertEquals(List.of("picture-1.png", "picture-2.png", "picture-3.png"), files());
        List<String> times = run.out().lines().filter(line -> line.startsWith("time ")).toList();
        assertEquals(1, times.size(), run.out());
        assertTrue(times.getFirst().endsWith(", of 3 pictures together"), run.out());
        assertTrue(run.out().contains("between devices for 3 pictures"), run.out());
    }

    @Test
    void theResultAsJsonHasAllThatTheReportSays() {
        CommandRun run = generate("--seed", "7", "--json", "--devices", "cpu:1,cpu:1", "--plan", "asyncdiff:warmup=3");
        JsonObject result = run.json();
        assertEquals("", run.err());
        assertEquals(picture("picture").toString(), result.getAsJsonArray("files").get(0).getAsString());
        assertEquals("asyncdiff:warmup=3", result.get("plan").getAsString());
        assertEquals(2, result.getAsJsonArray("devices").size());
        assertEquals(PROMPT, result.get("prompt").getAsString());
        assertEquals(0, result.get("copiedBytes").getAsLong(), "these devices read in place");
        assertTrue(result.get("firstStepMilliseconds").getAsDouble() > 0);
        assertEquals(Files.exists(Path.of("/proc/self/status")), result.has("peakResidentBytes"));
        JsonObject picture = result.getAsJsonArray("pictures").get(0).getAsJsonObject();
        assertEquals(32, picture.get("width").getAsInt());
        assertEquals(8, picture.get("enlarged").getAsInt());
        assertTrue(picture.getAsJsonObject("milliseconds").get("steps").getAsDouble() > 0);
    }

    @Test
    void whereNoPlanIsSaidOneIsChosenThatSuitsTheSteps() {
        assertEquals("cfg-split", generate("--json", "--devices", "2").json().get("plan").getAsString());
        assertEquals("sequential", generate("--json", "--devices", "1").json().get("plan").getAsString());
    }

    @Test
    void theSameSeedGivesTheSamePicture() throws IOException {
        generate("--seed", "7", "--plan", "sequential");
        byte[] first = Files.readAllBytes(picture("picture"));
        generate("--seed", "7", "--plan", "sequential");
        assertArrayEquals(first, Files.readAllBytes(picture("picture")));
    }

    @Test
    void aPromptThatIsTooLongIsCutWithOneWarningForAllPictures() throws IOException {
        CommandRun run = generate("--seed", "7", "--negative", "red ".repeat(100), "--count", "2");
        assertEquals(ExitCode.OK, run.code());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().startsWith("slipstream: warning: prompt too long: "), run.err());
        assertEquals(List.of("picture-1.png", "picture-2.png"), files());
    }

    @Test
    void aSeedThatIsChosenIsPrintedAndWrittenIntoThePicture() throws IOException {
        long seed = generate("--json").json().get("seed").getAsLong();
        assertTrue(PngText.parameters(picture("picture")).contains("Seed: " + seed + ","));
        assertNotEquals(seed, generate("--json").json().get("seed").getAsLong());
    }

    @Test
    void aFactorOf1LeavesThePictureAsItIs() throws IOException {
        generate("--enlarge", "1");
        assertEquals(32, ImageIO.read(picture("picture").toFile()).getWidth());
    }

    @Test
    void previewsAreWrittenBesideThePicture() throws IOException {
        assertEquals(ExitCode.OK, generate("--preview", "1", "--seed", "7").code());
        assertEquals(List.of("picture.png", "picture.preview.png"), files());
        assertEquals(256, ImageIO.read(picture("picture.preview").toFile()).getWidth());
    }

    @Test
    void theEndingOfTheNameSaysInWhichFormat() throws IOException {
        Path jpeg = folder.resolve("picture.v2.JPG");
        assertEquals(ExitCode.OK, CommandRun.of("generate", "a red star", "--model", CommandRun.MODEL.toString(),
            "--steps", "2", "--preview", "1", "--output", jpeg.toString()).code());
        assertEquals(List.of("picture.v2.JPG", "picture.v2.preview.JPG"), files());
        byte[] bytes = Files.readAllBytes(jpeg);
        assertEquals("FFD8FF", HexFormat.of().withUpperCase().formatHex(bytes, 0, 3));
        assertEquals("256x256", Image.read(jpeg).toString());
    }

    @Test
    void aPreviewThatCannotBeWrittenEndsTheCallAndNoPictureIsWritten() throws IOException {
        Files.createDirectory(picture("picture.preview"));
        CommandRun run = generate("--preview", "1");
        assertEquals(ExitCode.FAILED, run.code());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().contains("picture.preview.png: it is a folder"), run.err());
        assertFalse(Files.exists(picture("picture")));
    }

    @Test
    void progressIsDrawnWhereSomeoneWatchesAndWipedInTheEnd() {
        StringWriter err = new StringWriter();
        Terminal watched = new Terminal(new PrintWriter(new StringWriter()), new PrintWriter(err), () -> true);
        Main.execute(watched, "generate", PROMPT, "--model", CommandRun.MODEL.toString(), "--steps", "2", "--output",
            picture("picture").toString());
        assertTrue(err.toString().contains("] 2/2"), err.toString());
        assertTrue(err.toString().endsWith("\r\033[K"), err.toString());
    }

    @Test
    void nothingIsDrawnBesideJson() {
        StringWriter err = new StringWriter();
        Terminal watched = new Terminal(new PrintWriter(new StringWriter()), new PrintWriter(err), () -> true);
        Main.execute(watched, "generate", PROMPT, "--model", CommandRun.MODEL.toString(), "--steps", "1", "--output",
            picture("picture").toString(), "--json");
        assertEquals("", err.toString());
    }
}
