package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.RandomModel;
import dev.slipstream.pipelines.model.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that one loop draws together are those that it draws one by one. */
@Timeout(120)
class BatchTest {
    /** A level of 255 for what is rounded otherwise; seeds in a row differ by dozens. */
    private static final int ROUNDING = 1;

    @TempDir
    private Path folder;

    private DiffusionPipeline open(String plan) {
        String[] devices = plan.equals("sequential") ? new String[] {"cpu:1:exact"}
            : new String[] {"cpu:1:exact", "cpu:1:exact"};
        return DiffusionPipeline.of(folder).devices(devices).plan(plan).open();
    }

    private static List<byte[]> draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).results().join().stream().map(picture -> picture.image().rgb()).toList();
    }

    private static int distance(byte[] one, byte[] other) {
        int most = 0;
        for (int i = 0; i < one.length; i++) {
            most = Math.max(most, Math.abs((one[i] & 0xFF) - (other[i] & 0xFF)));
        }
        return most;
    }

    /** Draws two pictures together and one by one. The single ones come first, so that all else is built anew. */
    private void assertBatchIsEachAlone(String plan, ImageRequest request) {
        try (DiffusionPipeline pipeline = open(plan)) {
            byte[] first = draw(pipeline, request).getFirst();
            byte[] second = draw(pipeline, request.withSeed(request.seed() + 1)).getFirst();
            List<byte[]> both = draw(pipeline, request.withBatch(2));
            assertEquals(2, both.size());
            assertTrue(distance(first, both.get(0)) <= ROUNDING, plan + ": " + distance(first, both.get(0)));
            assertTrue(distance(second, both.get(1)) <= ROUNDING, plan + ": " + distance(second, both.get(1)));
            assertTrue(distance(first, second) > 5 * ROUNDING, "the seed shows: " + distance(first, second));
            System.err.println("MEASURED " + plan + " " + distance(first, both.get(0)) + " "
                + distance(second, both.get(1)) + " seeds " + distance(first, second));
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void everyFamilyDrawsEachPictureOfABatchAsAlone(Family family) {
        RandomModel.write(folder, family);
        ImageRequest request = FamiliesTest.request(family);
        List<String> plans = new ArrayList<>(List.of("sequential", "asyncdiff:warmup=1"));
        if (family != Family.LATENT_CONSISTENCY) {
            plans.add("cfg-split");
        }
        plans.forEach(plan -> assertBatchIsEachAlone(plan, request));
    }

    @ParameterizedTest
    @ValueSource(strings = {"asyncdiff:warmup=1,staleness=reference", "asyncdiff:stride=2,warmup=1,form=reuse",
        "asyncdiff:stride=2,warmup=1,form=paper"})
    void everyPlanDrawsEachPictureOfABatchAsAlone(String plan) {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        assertBatchIsEachAlone(plan, FamiliesTest.request(Family.STABLE_DIFFUSION));
    }

    @ParameterizedTest
    @ValueSource(strings = {"euler-ancestral", "dpm++2m-sde", "ddpm", "lcm"})
    void freshNoiseOfEveryStepIsThatOfThePicturesOwnSeed(String scheduler) {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION).withScheduler(scheduler);
        assertBatchIsEachAlone("sequential", request);
        assertBatchIsEachAlone("sequential", request.withGuidance(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "euler-ancestral"})
    void aGivenPictureIsTheStartOfEveryPictureAndItsKnownPartStaysInAll(String scheduler) {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION).withScheduler(scheduler);
        GivenImage given = GivenImage.of(FamiliesTest.picture(16, 16));
        assertBatchIsEachAlone("sequential", request.withGiven(given.withStrength(0.75)));
        GivenImage masked = given.withMask(FamiliesTest.mask(16, 16));
        assertBatchIsEachAlone("asyncdiff:warmup=1", request.withGiven(masked));
        assertBatchIsEachAlone("cfg-split", request.withGiven(masked.withStrength(0.75)));
    }

    @Test
    void everyPictureHasItsOwnSeedAndPreviews() throws Exception {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION).withBatch(3).withPreviewEvery(2);
        try (DiffusionPipeline pipeline = open("sequential")) {
            // A request in front holds the pipeline's thread until the listener is there.
            pipeline.submit(request);
            Generation generation = pipeline.submit(request);
            List<Integer> previews = new ArrayList<>();
            var heard = generation.onProgress(progress -> previews.add(progress.previews().size()));
            List<GeneratedImage> pictures = generation.results().join();
            heard.get(60, TimeUnit.SECONDS);
            assertEquals(List.of(0, 3, 0, 0), previews);
            assertEquals(List.of(7L, 8L, 9L), pictures.stream().map(it -> it.request().seed()).toList());
            for (GeneratedImage picture : pictures) {
                assertEquals(3, picture.batch());
                assertEquals(1, picture.request().batch());
                assertTrue(picture.parameters().text().contains("Seed: " + picture.request().seed() + ","));
            }
            assertArrayEquals(pictures.getFirst().image().rgb(), generation.result().join().image().rgb());
        }
    }

    @Test
    void aBatchTakesMoreMemoryButNoMoreWeights() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION);
        try (PipelineDraft draft = DiffusionPipeline.of(folder).draft()) {
            MemoryNeed one = draft.memory(request).getFirst();
            MemoryNeed four = draft.memory(request.withBatch(4)).getFirst();
            assertEquals(one.weightBytes(), four.weightBytes());
            assertTrue(four.workBytes() > 3 * one.workBytes(), four + " against " + one);
            assertTrue(four.bufferBytes() > one.bufferBytes(), four + " against " + one);
        }
    }

    @Test
    void anEmptyBatchIsRefused() {
        String message = assertThrows(IllegalArgumentException.class,
            () -> ImageRequest.of("x").withBatch(0)).getMessage();
        assertTrue(message.contains("at least 1 picture, not 0"), message);
    }

    @Test
    void aGraphOfAFixedBatchSaysWhatItTakes() throws IOException {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        Graph open = DenoiserModel.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT).graph();
        Path target = Files.createDirectories(folder.resolve("unet")).resolve("model.onnx");
        GraphFile.write(open.with(open.inputs().stream().map(BatchTest::withTwoRows).toList(), open.outputs(),
            open.nodes(), open.weights()), target);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION);
        try (PipelineDraft draft = DiffusionPipeline.of(folder).draft()) {
            draft.check(request);
            draft.check(request.withGuidance(1).withBatch(2));
            String message =
                assertThrows(GraphException.class, () -> draft.check(request.withBatch(2))).getMessage();
            assertTrue(message.contains("fixed batch of 2") && message.contains("needs one of 4"), message);
        }
    }

    private static ValueInfoProto withTwoRows(ValueInfoProto input) {
        ValueInfoProto.Builder fixed = input.toBuilder();
        if (!input.getName().equals("timestep")) {
            fixed.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilder(0).setDimValue(2);
        }
        return fixed.build();
    }
}
