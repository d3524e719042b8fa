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

/** Requests for several pictures at once. */
@Timeout(120)
class BatchTest {
    @TempDir
    private Path folder;

    @Test
    void everyPictureHasItsOwnSeedAndPreviews() throws Exception {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        ImageRequest request = FamiliesTest.request(Family.STABLE_DIFFUSION).withBatch(3).withPreviewEvery(2);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1:exact").open()) {
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
