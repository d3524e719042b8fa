package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.cost.Profile;
import dev.slipstream.pipelines.cost.Workload;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchTest {
    private static final List<String> KEYS = List.of("plan", "wall_ms", "speedup", "psnr_db", "ssim", "copied_bytes",
        "weight_bytes", "heap_bytes_per_step", "launch_us", "critical_speedup", "max_diff", "wall_min_ms",
        "ort_heap_bytes_per_step");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private int bench(String... options) {
        return bench(Path.of("model"), options);
    }

    private int bench(Path model, String... options) {
        String[] arguments = new String[options.length + 3];
        arguments[0] = "bench";
        arguments[1] = "--model";
        arguments[2] = model.toString();
        System.arraycopy(options, 0, arguments, 3, options.length);
        return Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false), arguments);
    }

    @Test
    @Tag("slow")
    void everyPlanGetsARowWithAllNumbersAndItsPictures() throws IOException {
        Path json = folder.resolve("bench.json");
        Path png = folder.resolve("bench.png");
        int code = bench("--steps", "2", "--rounds", "1", "--prompts", "1", "--seeds", "1", "--json", json.toString(),
            "--png", png.toString());
        assertEquals(ExitCode.OK, code, err::toString);

        SchemaCheck.assertFits("bench", Files.readString(json));
        JsonArray rows = JsonParser.parseString(Files.readString(json)).getAsJsonArray();
        Set<String> plans = new HashSet<>();
        rows.forEach(row -> {
            JsonObject object = row.getAsJsonObject();
            KEYS.forEach(key -> assertTrue(object.has(key), () -> key + " is missing in " + object));
            assertTrue(plans.add(object.get("plan").getAsString()), "a plan comes twice: " + object);
            assertTrue(object.get("wall_ms").getAsDouble() > 0);
            assertTrue(object.get("critical_ms").getAsDouble() > 0);
        });
        JsonObject first = rows.get(0).getAsJsonObject();
        assertEquals(1, first.get("speedup").getAsDouble());
        assertEquals(100, first.get("psnr_db").getAsDouble());
        assertEquals(0, first.get("copied_bytes").getAsLong());
        assertTrue(rows.asList().stream().map(row -> row.getAsJsonObject().get("copied_bytes").getAsLong())
            .anyMatch(bytes -> bytes > 0));

        BufferedImage grid = ImageIO.read(png.toFile());
        assertNotNull(grid);
        assertTrue(grid.getHeight() > grid.getWidth() * (rows.size() - 1), "there is a picture for every plan");
        String text = out.toString();
        plans.forEach(plan -> assertTrue(text.contains(plan), text));
        text.lines().takeWhile(line -> !line.startsWith("numbers:")).forEach(line ->
            assertTrue(line.length() <= 120, () -> line.length() + " columns: " + line));
    }

    @Test
    @Tag("slow")
    void allPlansAreDrawnOnOneAxisOfTime() throws IOException {
        Path svg = folder.resolve("bench.svg");
        int code = bench("--compare", "cfg-split", "--steps", "2", "--rounds", "1", "--prompts", "1", "--seeds", "1",
            "--timeline", svg.toString());
        assertEquals(ExitCode.OK, code, err::toString);

        String drawing = Files.readString(svg);
        assertTrue(drawing.contains(">sequential<") && drawing.contains(">cfg-split<"), drawing);
        assertTrue(out.toString().contains("timeline: " + svg), out.toString());
    }

    @Test
    @Tag("slow")
    void aProfileForeseesPlansOnMoreDevicesThanItWasMeasuredOn() {
        Path profile = folder.resolve("profile.json");
        assertEquals(ExitCode.OK, Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false),
            "profile", "--model", "model", "--devices", "cpu:1", "--output", profile.toString()), err::toString);
        int code = bench("--compare", "asyncdiff:n=3,warmup=1", "--steps", "4", "--rounds", "1", "--prompts", "1",
            "--seeds", "1", "--profile", profile.toString());
        assertEquals(ExitCode.OK, code, err::toString);
        assertEquals(1, out.toString().lines().filter(line -> line.startsWith("asyncdiff:n=3") && line.endsWith(" %"))
            .count(), out.toString());
        assertTrue(out.toString().contains("of the speed-ups over the first row"), out.toString());
    }

    @Test
    void whatAProfileSaysIsMeasuredInTurnWithThePlans() {
        int code = bench("--compare", "cfg-split", "--steps", "4", "--rounds", "1", "--prompts", "1", "--seeds", "1",
            "--forecast");
        assertEquals(ExitCode.OK, code, err::toString);
        List<String> rows = out.toString().lines().dropWhile(line -> !line.contains("predicted")).toList();
        assertEquals(List.of("plan", "sequential", "cfg-split", "median"), rows.stream().limit(4)
            .map(row -> row.split(" ")[0]).toList(), out.toString());
        // How near it is says the program, on a machine that is left alone; here something was predicted.
        assertTrue(rows.subList(1, 3).stream()
            .mapToDouble(row -> Double.parseDouble(row.replaceAll(".* (\\S+) %", "$1")))
            .allMatch(error -> error > -100 && error < Double.POSITIVE_INFINITY), out.toString());
    }

    @Test
    void aProfileOfOtherDevicesIsRefusedBeforeAnythingIsMeasured() throws IOException {
        Path profile = folder.resolve("profile.json");
        Profile times = Profile.fit("a processor", 1L << 30, List.of(new Profile.Sample("m",
            Map.of("m", new Workload(1, 1, 1, 1, 1)), 1000)));
        new MachineProfile(MachineProfile.FORMAT, "2026-01-01", "a model", "denoiser", "[1]", List.of("cpu:1"),
            List.of(times), List.of(), 1000).write(profile);
        int code = bench("--devices", "cpu:2", "--profile", profile.toString());
        assertEquals(ExitCode.WRONG_USAGE, code, out::toString);
        assertTrue(err.toString().contains("--profile is of cpu:1, not of cpu:2"), err.toString());
        assertFalse(out.toString().contains("wall"), out.toString());
    }

    @Test
    void whatIsNotSaidIsAsUsualWithTheModelAndTheSizeAsSaid() {
        Path model = folder.resolve("tiny");
        ModelTemplate.of(ModelFamily.PIXART_SIGMA, true).write(model);
        int code = bench(model, "--devices", "cpu:1", "--compare", "cache", "--size", "96x64", "--rounds", "1",
            "--prompts", "1", "--seeds", "1");
        assertEquals(ExitCode.OK, code, err::toString);
        assertTrue(out.toString().contains("1 pictures of 96x64, 20 steps, guidance 4.5, noise scheduler dpm++2m"),
            out.toString());
    }

    @Test
    void aPromptThatIsTooLongIsWarnedOfOnceWhateverDrawsIt() throws IOException {
        Path model = folder.resolve("tiny");
        ModelTemplate.of(ModelFamily.SD15, true).write(model);
        Files.writeString(model.resolve("tokenizer").resolve("tokenizer_config.json"), "{\"model_max_length\": 6}");
        int code = bench(model, "--devices", "cpu:1", "--compare", "cache", "--steps", "2", "--rounds", "1",
            "--prompts", "2", "--seeds", "1");
        assertEquals(ExitCode.OK, code, err::toString);
        List<String> warnings = err.toString().lines().filter(line -> line.contains("prompt too long")).toList();
        assertEquals(2, warnings.size(), err.toString());
        assertTrue(warnings.getFirst().endsWith("lost: \"on a blue background\""), err.toString());
    }

    @ParameterizedTest
    @CsvSource({"--steps, 1", "--rounds, 0", "--prompts, 9", "--seeds, 0", "--json, /no/such/folder/bench.json",
        "--png, /no/such/folder/bench.png", "--trace, /no/such/folder/bench.json",
        "--timeline, /no/such/folder/bench.svg"})
    void whatCannotBeMeasuredIsSaidBeforeAnythingIsBuilt(String option, String value) {
        assertEquals(ExitCode.WRONG_USAGE, bench(option, value));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(option), err.toString());
        assertFalse(out.toString().contains("wall"));
    }
}
