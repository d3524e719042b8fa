package dev.slipstream.samples.predict;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PredictCommandTest {
    @TempDir
    private Path folder;

    private static CommandRun predict(String... more) {
        return CommandRun.of(Stream.concat(Stream.of("predict", "--model", CommandRun.MODEL.toString(), "--steps",
            "12"), Stream.of(more)).toArray(String[]::new));
    }

    @Test
    void plansForGpusThatAreNotThereAreToldFastestFirstWithTheOneToTake() {
        CommandRun run = predict("--gpus", "2xA100", "--link", "nvlink3");
        assertEquals("", run.err());
        assertTrue(run.out().startsWith("model on 2xA100, nvlink3, 12 steps, times estimated from data sheets\n"),
            run.out());
        assertTrue(run.out().lines().allMatch(line -> !line.startsWith("cfg-split ") || line.contains(" 2 ")));
        assertEquals(1, run.out().lines().filter(line -> line.endsWith(" <")).count(), run.out());
        assertTrue(run.out().contains("times as fast as sequential on one device"), run.out());
    }

    @Test
    void whatIsExactIsPreferredWhereThatIsWished() {
        CommandRun run = predict("--gpus", "2xT4", "--prefer", "exact", "--json");
        assertEquals("", run.err());
        SchemaCheck.assertFits("predict", run.out());
        JsonObject prediction = JsonParser.parseString(run.out()).getAsJsonObject();
        assertTrue(List.of("cfg-split", "sequential").contains(prediction.get("choice").getAsString()), run.out());
        assertEquals("estimated", prediction.get("basis").getAsString());
        assertTrue(prediction.getAsJsonObject("refused").entrySet().isEmpty(), run.out());
        double request = prediction.get("requestMs").getAsDouble();
        double overlapped = prediction.get("overlappedRequestMs").getAsDouble();
        assertTrue(0 < overlapped && overlapped <= request, run.out());
        assertTrue(prediction.get("queue").getAsString().startsWith("of many that wait, a request takes "), run.out());
    }

    @Test
    void plansThatAreNamedAreComparedWithOneDeviceAndNoOthers() {
        CommandRun run = predict("--gpus", "2xA100", "--compare", "asyncdiff:cut=best", "--compare",
            "asyncdiff:cut=lean", "--compare", "sequential", "--json");
        assertEquals("", run.err());
        SchemaCheck.assertFits("predict", run.out());
        List<String> plans = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("plans").asList()
            .stream().map(plan -> plan.getAsJsonObject().get("plan").getAsString() + " "
                + plan.getAsJsonObject().get("devices").getAsInt()).sorted().toList();
        assertEquals(List.of("asyncdiff:cut=best 2", "asyncdiff:cut=lean 2", "sequential 1"), plans);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--gpus RTX9999|--gpus: there is no GPU 'RTX9999' in the table; there are T4, V100, ",
        "--gpus 0xA100|--gpus 0xA100 names no GPU; write 2xA100 for two of them",
        "--gpus A100,|--gpus takes names with numbers before them, like 4xRTX4090 or A100,2xL4, not 'A100,'",
        "--gpus A100 --link rope|--link: there is no link 'rope' in the table; there are pcie3, ",
        "--gpus A100 --prefer nice|--prefer: there is no preference 'nice'; take exact, balanced, fast",
        "--gpus A100 --profile p.json|",
        "--gpus A100 --compare asyncdif|asyncdif",
        "--gpus A100 --compare auto|--compare auto: without --compare it says which is chosen",
        "--gpus A100 --compare asyncdiff:n=3|--compare asyncdiff:n=3 takes 3 devices, and there are 1",
        "--gpus 2xA100 --compare asyncdiff:cut=wide|--compare asyncdiff:cut=wide: there is no cut 'wide' beside",
        "--gpus 2xA100 --compare pipefusion|--compare pipefusion: ",
        "--like sdxl|",
        "--like taesd --gpus A100|--like: there is no family of whole models 'taesd'; there are sd15, ",
        "--profile nowhere.json|nowhere.json"})
    void whatMakesNoSenseGetsOneSentence(String options, String message) {
        CommandRun run = predict(options.split(" "));
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertEquals("", run.out());
        assertTrue(run.err().contains(message == null ? "slipstream: " : message), run.err());
    }

    @Test
    void aFileThatIsNoProfileIsRefused() throws IOException {
        for (String text : List.of("", "{}", "{\"format\":\"slipstream-profile-9\"}", "[1", "{\"devices\":3}")) {
            Path file = Files.writeString(folder.resolve("p.json"), text);
            CommandRun run = predict("--profile", file.toString());
            assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
            assertTrue(run.err().contains("make one with slipstream profile"), run.err());
        }
    }

    @Test
    @Tag("slow")
    void whatWasMeasuredPredicts() {
        Path file = folder.resolve("profile.json");
        CommandRun profile = CommandRun.of("profile", "--model", CommandRun.MODEL.toString(), "--devices",
            "cpu:1,cpu:1", "--output", file.toString());
        assertEquals("", profile.err());
        assertTrue(profile.out().contains("copies from device cpu:1 to cpu:1: "), profile.out());
        CommandRun run = predict("--profile", file.toString(), "--json");
        assertEquals("", run.err());
        SchemaCheck.assertFits("predict", run.out());
        JsonObject prediction = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals("measured", prediction.get("basis").getAsString());
        double split = prediction.getAsJsonArray("plans").asList().stream().map(it -> it.getAsJsonObject())
            .filter(it -> it.get("plan").getAsString().equals("cfg-split"))
            .mapToDouble(it -> it.get("speedup").getAsDouble()).findFirst().orElseThrow();
        assertTrue(split > 1.2 && split < 2.05, "cfg-split has half of the work on each device, not 1/" + split);
    }

    @Test
    @Tag("slow")
    void aFamilyInRealSizeNeedsNoWeights() {
        CommandRun run = CommandRun.of("predict", "--like", "sd15", "--gpus", "4xRTX4090", "--precision", "fp16");
        assertEquals("", run.err());
        assertTrue(run.out().startsWith("sd15 on 4xRTX4090, pcie4, 51 steps, "), run.out());
        assertTrue(run.out().contains("cfg-split+asyncdiff:n=2"), run.out());
    }
}
