package dev.slipstream.samples.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanCommandTest {
    private static CommandRun plan(String... options) {
        List<String> args = new ArrayList<>(List.of("plan", "--model", CommandRun.MODEL.toString()));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    private static List<JsonObject> entries(JsonObject plan, String name) {
        return plan.getAsJsonArray(name).asList().stream().map(JsonElement::getAsJsonObject).toList();
    }

    @Test
    void segmentsStagesEdgesAndMemoryArePrinted() {
        CommandRun run = plan("--devices", "2", "--plan", "asyncdiff:warmup=1");
        assertEquals("", run.err());
        assertEquals(ExitCode.OK, run.code());
        List<String> heads = run.out().lines().filter(line -> line.matches("(segment|stage|from|device) .*")).toList();
        assertEquals(4, heads.size(), run.out());
        assertTrue(run.out().startsWith("asyncdiff:warmup=1, 50 steps, with guidance\n"), run.out());
        assertTrue(run.out().contains("device 0 to 1"), run.out());
    }

    @Test
    void sharesOfTheWorkSumUpToOneAndWeightsAreThoseOfTheDevices() {
        JsonObject plan = plan("--devices", "3", "--plan", "asyncdiff:warmup=3", "--json").json();
        double work = entries(plan, "segments").stream().mapToDouble(it -> it.get("workShare").getAsDouble()).sum();
        assertEquals(1, work, 1e-9);
        long ofSegments = entries(plan, "segments").stream().mapToLong(it -> it.get("weightBytes").getAsLong()).sum();
        long ofDevices = entries(plan, "devices").stream().mapToLong(it -> it.get("weightBytes").getAsLong()).sum();
        // The sample's weights are stored as halves, and computed with as fp32; what devices share is there once.
        assertTrue(ofSegments > 1_000_000 && ofDevices > ofSegments && ofDevices <= 2 * ofSegments,
            ofDevices + " on devices, " + ofSegments + " in segments");
    }

    @Test
    void edgesBetweenDevicesSlipAndTheBytesOfAllStepsAreCopied() {
        JsonObject plan = plan("--devices", "2", "--plan", "asyncdiff:warmup=1,cut=contiguous", "--json", "--steps",
            "10").json();
        List<JsonObject> edges = entries(plan, "edges");
        assertFalse(edges.isEmpty());
        edges.forEach(edge -> assertEquals(1, edge.get("slip").getAsInt()));
        long aStep = edges.stream().filter(edge -> edge.get("from").getAsInt() != edge.get("to").getAsInt())
            .mapToLong(edge -> edge.get("bytes").getAsLong()).sum();
        // Beside the edges, the latents go to the device that does not hold them.
        assertTrue(plan.get("copiedBytes").getAsLong() >= 9 * aStep, plan.toString());
    }

    @Test
    void inHalfPrecisionEdgesHaveHalfTheBytesAndThePlanSaysSo() {
        JsonObject single = plan("--devices", "2", "--plan", "asyncdiff:warmup=1", "--json").json();
        JsonObject half =
            plan("--devices", "2", "--plan", "asyncdiff:warmup=1", "--json", "--precision", "bf16").json();
        assertEquals(bytes(single), 2 * bytes(half));
        assertEquals("fp32", single.get("precision").getAsString());
        assertEquals("bf16", half.get("precision").getAsString());
        assertTrue(plan("--precision", "bf16").out().contains("with guidance, bf16\n"));
    }

    private static long bytes(JsonObject plan) {
        return entries(plan, "edges").stream().mapToLong(edge -> edge.get("bytes").getAsLong()).sum();
    }

    @Test
    void sequentialOnOneDeviceCopiesNothing() {
        CommandRun run = plan("--devices", "1");
        assertTrue(run.out().startsWith("sequential, 50 steps"), run.out());
        assertTrue(run.out().endsWith("0 B are copied between devices for a picture" + System.lineSeparator()),
            run.out());
    }

    @Test
    void withoutGuidanceTheBatchIsHalf() {
        JsonObject guided = plan("--plan", "asyncdiff:warmup=3", "--json").json();
        JsonObject alone = plan("--plan", "asyncdiff:warmup=3", "--json", "--guidance", "1").json();
        assertTrue(guided.get("guided").getAsBoolean());
        assertFalse(alone.get("guided").getAsBoolean());
        assertEquals(entries(guided, "edges").getFirst().get("bytes").getAsLong(),
            2 * entries(alone, "edges").getFirst().get("bytes").getAsLong());
    }

    @Test
    void aBatchTakesMoreMemoryAndItsEdgesMoreBytes() {
        JsonObject alone = plan("--plan", "asyncdiff:warmup=3", "--json").json();
        JsonObject three = plan("--plan", "asyncdiff:warmup=3", "--json", "--batch", "3").json();
        assertEquals(3, three.get("batch").getAsInt());
        assertEquals(3 * bytes(alone), bytes(three));
        assertEquals(3 * alone.get("copiedBytes").getAsLong(), three.get("copiedBytes").getAsLong());
        JsonObject one = entries(alone, "devices").getFirst();
        JsonObject all = entries(three, "devices").getFirst();
        assertEquals(one.get("weightBytes").getAsLong(), all.get("weightBytes").getAsLong());
        assertTrue(all.get("workBytes").getAsLong() > one.get("workBytes").getAsLong(), all.toString());
        CommandRun run = plan("--batch", "3");
        assertTrue(run.out().contains(", with guidance, 3 pictures at a time\n"), run.out());
        assertTrue(run.out().contains("between devices for 3 pictures"), run.out());
    }

    @Test
    void devicesThatAreNotHereCanBePlannedFor() {
        CommandRun run = plan("--devices", "cuda:0,cuda:1", "--plan", "asyncdiff:warmup=3");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertTrue(run.out().contains("1 (cuda:1)"), run.out());
    }

    @Test
    void theGraphHasAFrameForEachDeviceAndAnEdgeForEachPairOfStages() {
        String dot = plan("--devices", "2", "--plan", "asyncdiff:cut=contiguous", "--dot").out();
        assertEquals(2, dot.lines().filter(line -> line.contains("subgraph cluster_")).count(), dot);
        assertEquals(2, dot.lines().filter(line -> line.matches(" +stage\\d \\[label=.*")).count(), dot);
        List<String> edges = dot.lines().filter(line -> line.contains("->")).toList();
        assertEquals(1, edges.size(), dot);
        assertTrue(edges.getFirst().contains("slip 1") && edges.getFirst().contains("style=dashed"), dot);
        assertFalse(dot.contains("encoder_hidden_states"), dot);
    }

    @Test
    void thereIsOneFormAtATime() {
        CommandRun run = plan("--dot", "--json");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("mutually exclusive"), run.err());
    }

    @Test
    void whatAPlanIsNotForIsSaidWithWhatToTake() {
        CommandRun run = plan("--plan", "pipefusion");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("pipefusion is for transformers, and denoiser unet is a U-Net; take patches"),
            run.err());
    }

    @Test
    void aPlanThatWasChosenSaysWhyAndOneThatWasAskedForDoesNot() {
        CommandRun run = plan("--devices", "2", "--prefer", "exact");
        assertEquals("", run.err());
        String why = run.out().lines().filter(line -> line.startsWith("chosen: ")).findFirst().orElseThrow();
        assertTrue(why.startsWith("chosen: cfg-split on 2 devices: predicted "), why);
        assertEquals(why.substring("chosen: ".length()),
            plan("--devices", "2", "--plan", "auto", "--prefer", "exact", "--json").json().get("chosen").getAsString());
        assertFalse(plan("--devices", "2", "--plan", "cfg-split", "--json").json().has("chosen"));
        CommandRun wrong = plan("--prefer", "nice");
        assertTrue(wrong.err().contains("--prefer: there is no preference 'nice'; take exact, balanced, fast"),
            wrong.err());
    }

    @Test
    void aPlanThatWasAskedForSaysWhereItHasNoRoom() {
        assertTrue(plan("--plan", "asyncdiff:warmup=3", "--steps", "3").err().contains("all 3 steps"));
        assertEquals("", plan("--plan", "cfg-split", "--steps", "3").err());
    }
}
