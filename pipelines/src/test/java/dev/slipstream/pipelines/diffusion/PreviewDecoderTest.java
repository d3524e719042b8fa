package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Previews by an AutoencoderTiny, pictures by the model's own decoder. */
@Tag("slow")
@Timeout(120)
class PreviewDecoderTest {
    private static final ImageRequest STAR = ImageRequest.of("a red star").withSteps(4).withSeed(7).withGuidance(3)
        .withScheduler("ddim").withSize(32, 48);

    @TempDir
    private Path folder;

    private record Drawn(byte[] picture, Map<Integer, Image> previews) {
    }

    private Path written(ModelFamily family) {
        Path made = folder.resolve(family.id());
        ModelTemplate.of(family, true).write(made);
        return made;
    }

    private static Drawn draw(DiffusionPipeline.Builder builder, int every) throws Exception {
        try (DiffusionPipeline pipeline = builder.devices("cpu:1").plan("sequential").open()) {
            Map<Integer, Image> previews = new TreeMap<>();
            Generation generation = pipeline.submit(STAR.withPreviewEvery(every));
            var heard = generation.onProgress(progress ->
                progress.preview().ifPresent(image -> previews.put(progress.step(), image)));
            Image image = generation.result().join().image();
            heard.get(60, TimeUnit.SECONDS);
            return new Drawn(image.rgb(), previews);
        }
    }

    @Test
    void previewsAreOfTheSmallDecoderAndThePictureIsAsWithoutIt() throws Exception {
        Path model = written(ModelFamily.SD15);
        Path small = written(ModelFamily.TAESD);
        Drawn plain = draw(DiffusionPipeline.of(model), 1);
        Drawn fast = draw(DiffusionPipeline.of(model).previewDecoder(small), 1);
        Drawn none = draw(DiffusionPipeline.of(model).previewDecoder(small), 0);

        assertArrayEquals(plain.picture(), fast.picture());
        assertArrayEquals(plain.picture(), none.picture());
        assertEquals(plain.previews().keySet(), fast.previews().keySet());
        assertEquals(Map.of(), none.previews());
        fast.previews().forEach((step, preview) -> {
            assertEquals("32x48", preview.toString());
            assertFalse(Arrays.equals(plain.previews().get(step).rgb(), preview.rgb()));
        });
    }

    @Test
    void itsMemoryCountsWherePreviewsAreWanted() {
        Path model = written(ModelFamily.SD15);
        try (PipelineSpec spec = DiffusionPipeline.of(model).previewDecoder(written(ModelFamily.TAESD))
            .devices("cpu:1").plan("sequential").spec();
            PipelineSpec plain = DiffusionPipeline.of(model).devices("cpu:1").plan("sequential").spec()) {
            assertEquals(plain.memoryBytes(STAR), spec.memoryBytes(STAR));
            ImageRequest previewed = STAR.withPreviewEvery(2);
            assertTrue(spec.memoryBytes(previewed).getFirst() > plain.memoryBytes(previewed).getFirst());
        }
    }

    @Test
    void oneForOtherLatentsIsRefusedByName() {
        Path small = written(ModelFamily.TAESD);
        Path model = written(ModelFamily.SD3_MEDIUM);
        assertEquals(small + ": this autoencoder for previews decodes latents of 4 channels, and those of " + model
            + " have 16; take one that was made for this model", assertThrows(ModelException.class, () ->
                DiffusionPipeline.of(model).previewDecoder(small).devices("cpu:1").spec()).getMessage());
        assertTrue(assertThrows(ModelException.class, () -> DiffusionPipeline.of(model).previewDecoder(
            folder.resolve("missing")).devices("cpu:1").spec()).getMessage().contains("missing is no folder of an "
                + "autoencoder for previews"));
    }
}
