package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.run.program.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that ControlNets steer, from checkpoints with tiny random weights. */
@Tag("slow")
@Timeout(300)
class ControlNetPicturesTest {
    private static final int STEPS = 4;
    private static final ControlImage EDGES = ControlImage.of(FamiliesTest.picture(32, 48));
    private static final ControlImage HALVES = ControlImage.of(FamiliesTest.mask(64, 96));
    private static final ImageRequest STAR = ImageRequest.of("a red star").withSteps(STEPS).withSeed(7).withGuidance(3)
        .withScheduler("ddim").withSize(32, 48);

    @TempDir
    private Path folder;

    /** A model, and ControlNets for it. */
    private DiffusionPipeline.Builder model(ModelFamily base, ModelFamily control, int count) {
        DiffusionPipeline.Builder pipeline = DiffusionPipeline.of(written(base, 0));
        for (int seed = 1; seed <= count; seed++) {
            pipeline.controlNet(written(control, seed));
        }
        return pipeline;
    }

    private DiffusionPipeline.Builder sd15(int controls) {
        return model(ModelFamily.SD15, ModelFamily.CONTROLNET_SD15, controls);
    }

    private Path written(ModelFamily family, int seed) {
        Path made = folder.resolve(family.id() + seed);
        if (!Files.exists(made)) {
            ModelTemplate.of(family, true).withSeed(seed).write(made);
        }
        return made;
    }

    /** Of models that flow, with their own noise scheduler. */
    private static ImageRequest usual(ModelFamily base) {
        return base == ModelFamily.SD3_MEDIUM ? ImageRequest.of("a red star").withSteps(STEPS).withSeed(7)
            .withGuidance(3).withSize(32, 48) : STAR;
    }

    private static byte[] draw(DiffusionPipeline.Builder builder, String plan, int devices, ImageRequest request) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        try (DiffusionPipeline pipeline = builder.devices(specs).plan(plan).open()) {
            return draw(pipeline, request);
        }
    }

    private static byte[] draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join().image().rgb();
    }

    private static int distance(byte[] one, byte[] other) {
        int most = 0;
        for (int i = 0; i < one.length; i++) {
            most = Math.max(most, Math.abs((one[i] & 0xFF) - (other[i] & 0xFF)));
        }
        return most;
    }

    @ParameterizedTest
    @CsvSource({"SD15, CONTROLNET_SD15, 1", "SD15, CONTROLNET_SD15, 2", "SDXL, CONTROLNET_SDXL, 1",
        "SDXL, CONTROLNET_SDXL, 2", "SD3_MEDIUM, CONTROLNET_SD3, 1", "SD3_MEDIUM, CONTROLNET_SD3, 2"})
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame(ModelFamily base, ModelFamily control, int count) {
        ImageRequest request = count == 1 ? usual(base).withControls(EDGES.withRange(0, 0.75))
            : usual(base).withControls(EDGES, HALVES.withScale(0.7).withRange(0.25, 1));
        byte[] alone = draw(model(base, control, count), "sequential", 1, request);
        assertEquals(32 * 48 * 3, alone.length);
        assertArrayEquals(alone, draw(model(base, control, count), "sequential", 3, request));
        assertArrayEquals(alone, draw(model(base, control, count), "cfg-split", 2, request));
        for (String plan : List.of("asyncdiff:n=2,", "asyncdiff:n=2,stride=2,", "asyncdiff:n=3,")) {
            int parts = plan.contains("n=3") ? 3 : 2;
            assertArrayEquals(alone, draw(model(base, control, count), plan + "warmup=" + STEPS, parts, request), plan);
            // The ControlNets have a device of their own.
            byte[] lagging = draw(model(base, control, count), plan + "warmup=1", parts + 1, request);
            assertFalse(Arrays.equals(alone, lagging), "lag shows");
            assertArrayEquals(lagging, draw(model(base, control, count), plan + "warmup=1", parts, request), plan);
        }
    }

    @ParameterizedTest
    @CsvSource({"SD15, CONTROLNET_SD15", "SDXL, CONTROLNET_SDXL", "SD3_MEDIUM, CONTROLNET_SD3"})
    void allThatIsSaidOfItShows(ModelFamily base, ModelFamily control) {
        Map<String, ImageRequest> requests = new LinkedHashMap<>();
        requests.put("plain", usual(base).withControls(EDGES, HALVES));
        requests.put("swapped", usual(base).withControls(HALVES, EDGES));
        requests.put("scale", usual(base).withControls(EDGES.withScale(0.5), HALVES));
        requests.put("scale of the second", usual(base).withControls(EDGES, HALVES.withScale(0.5)));
        requests.put("late", usual(base).withControls(EDGES.withRange(0.5, 1), HALVES));
        requests.put("early", usual(base).withControls(EDGES.withRange(0, 0.5), HALVES));
        requests.put("guess", usual(base).withControls(EDGES.withGuessing(true), HALVES));
        requests.put("only the second", usual(base).withControls(EDGES.withScale(0), HALVES));
        requests.put("nothing", usual(base).withControls(EDGES.withScale(0), HALVES.withScale(0)));
        requests.put("other seed", usual(base).withSeed(8).withControls(EDGES, HALVES));
        requests.put("not guided", usual(base).withGuidance(1).withControls(EDGES, HALVES));
        requests.put("guess, not guided", usual(base).withGuidance(1).withControls(EDGES.withGuessing(true), HALVES));
        try (DiffusionPipeline pipeline = model(base, control, 2).devices("cpu:1").plan("sequential").open()) {
            Map<String, byte[]> drawn = new LinkedHashMap<>();
            requests.forEach((name, request) -> drawn.put(name, draw(pipeline, request)));
            drawn.forEach((name, picture) -> drawn.forEach((other, its) ->
                assertTrue(name.equals(other) || !Arrays.equals(picture, its), name + " is as " + other)));

            byte[] without = draw(model(base, control, 0), "sequential", 1, usual(base));
            assertTrue(distance(without, drawn.get("nothing")) <= 1, "scale 0 is no ControlNet");
            assertArrayEquals(drawn.get("nothing"), draw(pipeline, usual(base).withControls(EDGES.withRange(0, 0.1),
                HALVES.withRange(0.95, 1))), "no step is in these ranges");
            assertArrayEquals(drawn.get("only the second"),
                draw(pipeline, usual(base).withControls(EDGES.withRange(0.1, 0.2), HALVES)));
            assertArrayEquals(drawn.get("plain"), draw(pipeline, requests.get("plain")), "nothing stays behind");
        }
    }

    /** What it reads are latents, from which the shift was taken only where it sees the pooled text. */
    @Test
    void thatOfStableDiffusion3ReadsLatents() throws IOException {
        DiffusionPipeline.Builder builder = model(ModelFamily.SD3_MEDIUM, ModelFamily.CONTROLNET_SD3, 1);
        ImageRequest request = usual(ModelFamily.SD3_MEDIUM).withControls(EDGES);
        byte[] unshifted = draw(builder, "sequential", 1, request);
        Path config = written(ModelFamily.CONTROLNET_SD3, 1).resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{",
            "{\"force_zeros_for_pooled_projection\": false,"));
        assertFalse(Arrays.equals(unshifted, draw(builder, "sequential", 1, request)));
    }

    @Test
    void itsSegmentRunsAtTheStepsOfItsRangeOnly() {
        try (PipelineSpec spec = sd15(2).devices("cpu:1").plan("sequential").spec()) {
            ImageRequest all = STAR.withControls(EDGES, HALVES);
            ImageRequest some = STAR.withControls(EDGES.withRange(0, 0.5), HALVES.withRange(0.75, 1));
            assertEquals(3 * STEPS, spec.unwrap(all, Program.class).engineRuns());
            assertEquals(STEPS + 2 + 1, spec.unwrap(some, Program.class).engineRuns());
            assertEquals(spec.plan(all), spec.plan(some), "engines are the same");
        }
    }

    @Test
    void controlNetsOfTheModelsOwnFolderComeFirst() throws IOException {
        byte[] given = draw(sd15(2), "sequential", 1, STAR.withControls(EDGES, HALVES));
        Path model = written(ModelFamily.SD15, 0);
        Files.move(written(ModelFamily.CONTROLNET_SD15, 1), model.resolve("controlnet"));
        byte[] without = draw(DiffusionPipeline.of(model), "sequential", 1, STAR);
        Path index = model.resolve("model_index.json");
        Files.writeString(index, Files.readString(index)
            .replace("StableDiffusionPipeline\",", "StableDiffusionControlNetPipeline\", "
                + "\"controlnet\": [\"diffusers\", \"ControlNetModel\"],"));

        assertFalse(Arrays.equals(without, given), "nothing named it before");
        assertArrayEquals(given, draw(DiffusionPipeline.of(model).controlNet(written(ModelFamily.CONTROLNET_SD15, 2)),
            "sequential", 1, STAR.withControls(EDGES, HALVES)));
        try (PipelineSpec spec = DiffusionPipeline.of(model).devices("cpu:1").spec()) {
            assertEquals(List.of(), spec.warnings(), "its files are read");
        }
    }

    @Test
    void picturesOfABatchAreThoseDrawnAlone() {
        ImageRequest request = STAR.withControls(EDGES.withGuessing(true), HALVES.withRange(0, 0.5));
        try (DiffusionPipeline pipeline = sd15(2).devices("cpu:1", "cpu:1").plan("asyncdiff:n=2").open()) {
            List<GeneratedImage> both = pipeline.submit(request.withBatch(2)).results().join();
            for (GeneratedImage each : both) {
                assertTrue(distance(each.image().rgb(), draw(pipeline, each.request())) <= 1);
            }
        }
    }

    @Test
    void pictureAndMaskGoTogetherWithControl() {
        Image picture = FamiliesTest.picture(32, 48);
        GivenImage given = GivenImage.of(picture).withStrength(0.75);
        ImageRequest masked = STAR.withGiven(given.withMask(FamiliesTest.mask(32, 48)));
        for (ImageRequest request : List.of(STAR.withGiven(given), masked)) {
            byte[] without = draw(sd15(0), "sequential", 1, request);
            byte[] controlled = draw(sd15(1), "sequential", 1, request.withControls(HALVES));
            assertFalse(Arrays.equals(without, controlled));
            assertArrayEquals(controlled,
                draw(sd15(1), "asyncdiff:n=2,warmup=" + STEPS, 2, request.withControls(HALVES)));
        }
        // A model that itself takes a mask, whose latents are the first of its channels.
        byte[] without = draw(model(ModelFamily.INPAINT, ModelFamily.CONTROLNET_SD15, 0), "sequential", 1, masked);
        byte[] controlled = draw(model(ModelFamily.INPAINT, ModelFamily.CONTROLNET_SD15, 1), "sequential", 1,
            masked.withControls(HALVES));
        assertFalse(Arrays.equals(without, controlled));
    }

    @Test
    void aRefinerIsNotSteered() {
        ImageRequest request = STAR.withControls(EDGES.withRange(0, 0.5));
        try (PipelineSpec spec = model(ModelFamily.SDXL, ModelFamily.CONTROLNET_SDXL, 1)
            .refiner(written(ModelFamily.SDXL_REFINER, 0), 0.75).devices("cpu:1").plan("sequential").spec()) {
            // Half of all four steps, of which the model takes three.
            assertEquals(3 + 2, spec.unwrap(request, Program.class).engineRuns());
            assertEquals(1, spec.refiner().orElseThrow().unwrap(request, Program.class).engineRuns());
        }
        DiffusionPipeline.Builder refined = model(ModelFamily.SDXL, ModelFamily.CONTROLNET_SDXL, 1)
            .refiner(written(ModelFamily.SDXL_REFINER, 0), 0.75);
        assertFalse(Arrays.equals(draw(refined, "sequential", 1, request),
            draw(refined, "sequential", 1, request.withControls(EDGES))));
    }

    @Test
    void whatSteeredAPictureIsInIt() {
        try (DiffusionPipeline pipeline = sd15(1).devices("cpu:1").plan("sequential").open()) {
            GeneratedImage drawn = pipeline.submit(STAR.withControls(EDGES.withScale(0.5).withRange(0, 0.5)
                .withGuessing(true))).result().join();
            assertEquals("controlnet-sd151", drawn.controls().getFirst().name());
            String text = drawn.metadata().get("parameters");
            assertTrue(text.contains("ControlNet 0: \"Model: controlnet-sd151, Weight: 0.5, Guidance Start: 0.0, "
                + "Guidance End: 0.5, Guess Mode: True\""), text);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:n=2", "asyncdiff:n=2,stride=2"})
    void onTheStandInForTheCudaDriverThePictureIsThatOfTheCpu(String plan) {
        ImageRequest request = STAR.withControls(EDGES.withRange(0, 0.5), HALVES.withGuessing(true));
        int devices = plan.startsWith("seq") ? 1 : 2;
        byte[] expected = draw(sd15(2), plan, devices, request);
        try (FakeGpus gpus = FakeGpus.orSkip(devices);
            DiffusionPipeline pipeline = sd15(2).providers(Devices.of(gpus.provider())).plan(plan).guarded(true)
                .devices(Arrays.copyOf(new String[] {"cuda:0", "cuda:1"}, devices)).open()) {
            // Attention is one operator for CPUs, and several for others.
            assertTrue(distance(expected, draw(pipeline, request)) <= 1);
        }
    }
}
