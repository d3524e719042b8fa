package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests for several pictures at once. */
@Timeout(120)
class BatchTest {
    @TempDir
    private Path folder;

    @Test
    void everyPictureHasItsOwnSeedAndPreviews() throws Exception {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION).withBatch(3).withPreviewEvery(2);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").open()) {
            // A request in front holds the pipeline's thread until the listener is there.
            pipeline.submit(request);
            Generation generation = pipeline.submit(request);
            List<Integer> previews = new ArrayList<>();
            var heard = generation.onProgress(progress -> previews.add(progress.previews().size()));
            List<GeneratedImage> pictures = generation.results().join();
            heard.get(60, TimeUnit.SECONDS);
            assertEquals(List.of(0, 3, 0, 0), previews);
            assertEquals(List.of(7L, 8L, 9L), pictures.stream().map(GeneratedImage::seed).toList());
            for (GeneratedImage picture : pictures) {
                assertEquals(3, picture.batch());
                assertEquals(1, picture.request().batch());
                assertTrue(picture.metadata().get("parameters").contains("Seed: " + picture.seed() + ","));
            }
            assertArrayEquals(pictures.getFirst().image().rgb(), generation.result().join().image().rgb());
        }
    }

    @Test
    void aRefinerTakesTheLastStepsOfEveryPicture() {
        Path base = RandomModel.write(folder.resolve("base"), Family.SDXL).path();
        Path refiner = RandomModel.write(folder.resolve("refiner"), Family.REFINER).path();
        ImageRequest request = FamiliesTest.request(Family.SDXL).withSteps(8).withScheduler("euler-ancestral");
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(base).devices("cpu:1", "cpu:1")
                .plan("asyncdiff:warmup=1").refiner(refiner, 0.7).open()) {
            byte[] alone = pipeline.submit(request.withSeed(8)).result().join().image().rgb();
            List<GeneratedImage> both = pipeline.submit(request.withBatch(2)).results().join();
            assertTrue(both.get(1).refinement().isPresent());
            byte[] second = both.get(1).image().rgb();
            for (int i = 0; i < alone.length; i++) {
                assertEquals(alone[i] & 0xFF, second[i] & 0xFF, 1);
            }
            assertFalse(Arrays.equals(alone, both.get(0).image().rgb()), "the seed shows");
        }
    }

    @Test
    void aBatchTakesMoreMemoryButNoMoreWeights() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            MemoryNeed one = spec.memory(request).getFirst();
            MemoryNeed four = spec.memory(request.withBatch(4)).getFirst();
            assertEquals(one.weightBytes(), four.weightBytes());
            assertTrue(four.workBytes() > 3 * one.workBytes(), four + " against " + one);
            assertTrue(four.bufferBytes() > one.bufferBytes(), four + " against " + one);
        }
    }

    @Test
    void anEmptyBatchIsRefused() {
        String message = assertThrows(IllegalArgumentException.class,
            () -> ImageRequest.of("x").withBatch(0)).getMessage();
        assertTrue(message.contains("1 to 1000 pictures, not 0"), message);
    }

    @Test
    void aGraphOfAFixedBatchSaysWhatItTakes() throws IOException {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        Graph open = DenoiserGraph.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT).graph();
        Path target = Files.createDirectories(folder.resolve("unet")).resolve("model.onnx");
        GraphFile.write(open.with(open.inputs().stream().map(BatchTest::withTwoRows).toList(), open.outputs(),
            open.nodes(), open.weights()), target);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            spec.check(request);
            spec.check(request.withGuidance(1).withGuidanceRescale(0).withBatch(2));
            String message =
                assertThrows(GraphException.class, () -> spec.check(request.withBatch(2))).getMessage();
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
