package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.component.ComponentGraphs;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Folders of checkpoints, of graphs, and of both. */
@Timeout(120)
class OneDoorTest {
    private static final ImageRequest REQUEST = FamiliesTest.request(Family.STABLE_DIFFUSION).withSteps(2);

    @TempDir
    private Path folder;
    private RandomModel model;

    @BeforeEach
    void write() {
        model = RandomModel.write(folder, Family.STABLE_DIFFUSION);
    }

    private byte[] draw(ImageRequest request) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").open()) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }

    private void putGraph(Graph graph, String component) throws IOException {
        Path target = Files.createDirectories(folder.resolve(component));
        GraphFile.write(graph, target.resolve("model.onnx"));
    }

    @Test
    void aComponentCanBeAGraphOrACheckpointAndThePictureIsTheSame() throws IOException {
        byte[] checkpoints = draw(REQUEST);
        ComponentGraphs graphs = new ComponentGraphs(ModelFolder.open(folder));
        putGraph(graphs.imageDecoder(), "vae_decoder");
        assertArrayEquals(checkpoints, draw(REQUEST), "decoder as a graph");
        Graph denoiser = DenoiserGraph.read(ModelFolder.open(folder), ComponentFormat.CHECKPOINT).graph();
        putGraph(graphs.textEncoder(Component.TEXT_ENCODER, 0), "text_encoder");
        putGraph(denoiser, "unet");
        assertArrayEquals(checkpoints, draw(REQUEST), "all as graphs");
    }

    @Test
    void layersOfACheckpointsTextEncoderCanBeSkippedAndThoseOfAGraphCannot() throws IOException {
        ImageRequest skipping = REQUEST.withConditioning(Conditioning.DEFAULT.withClipSkip(1));
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").open()) {
            byte[] whole = pipeline.submit(REQUEST).result().join().image().rgb();
            assertFalse(Arrays.equals(whole, pipeline.submit(skipping).result().join().image().rgb()), "it shows");
            assertArrayEquals(whole, pipeline.submit(REQUEST).result().join().image().rgb());
        }
        putGraph(new ComponentGraphs(ModelFolder.open(folder)).textEncoder(Component.TEXT_ENCODER, 0), "text_encoder");
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            spec.check(REQUEST);
            String message = assertThrows(ModelException.class, () -> spec.check(skipping)).getMessage();
            assertTrue(message.contains("clip_skip 1") && message.contains("checkpoint"), message);
        }
    }

    @Test
    void aPipelineOfAnUnknownClassIsRefusedByName() {
        model.json("model_index.json", "{'_class_name': 'StableDiffusionInstructPix2PixPipeline'}");
        String message = assertThrows(ModelException.class, () -> DiffusionPipeline.of(folder).spec()).getMessage();
        assertTrue(message.contains("StableDiffusionInstructPix2PixPipeline cannot be run yet"), message);
    }
}
