package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.bridge.Faults.Manner;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.Autoencoder;
import dev.slipstream.pipelines.diffusion.component.StaticGraph;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pictures of a model whose latents have 2 pixels a side, drawn with tiles of 24 pixels, a new one each 18 pixels. */
@Timeout(120)
class TiledPipelineTest {
    private static final Tiles SMALL = new Tiles.OfSide(24);
    private static final ImageRequest STAR = FamiliesTest.request(Family.STABLE_DIFFUSION);

    @TempDir
    private Path folder;
    private final FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());

    @BeforeEach
    void writeModel() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
    }

    private DiffusionPipeline open(Tiles tiles) {
        return DiffusionPipeline.of(folder).providers(Devices.of(provider)).devices("cpu:1").tiles(tiles).open();
    }

    private static Image draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join().image();
    }

    private static ImageRequest given(int width, int height) {
        return STAR.withGiven(GivenImage.of(FamiliesTest.picture(width, height)));
    }

    @Test
    void picturesThatATileCoversAreTheSameBits() {
        try (DiffusionPipeline whole = open(new Tiles.Whole()); DiffusionPipeline tiled = open(SMALL)) {
            assertArrayEquals(draw(whole, STAR).rgb(), draw(tiled, STAR).rgb());
            assertArrayEquals(draw(whole, given(16, 16)).rgb(), draw(tiled, given(16, 16)).rgb());
        }
        try (DiffusionPipeline whole = open(new Tiles.Whole());
             DiffusionPipeline tiled = open(new Tiles.OfSide(32))) {
            assertArrayEquals(draw(whole, given(16, 32)).rgb(), draw(tiled, given(16, 32)).rgb());
        }
    }

    @Test
    void largerPicturesOfAnySizeAreDecodedAndEncodedInTiles() {
        try (DiffusionPipeline whole = open(new Tiles.Whole()); DiffusionPipeline tiled = open(SMALL)) {
            for (ImageRequest request : List.of(STAR.withSize(48, 32), STAR.withSize(16, 48), given(32, 48))) {
                Image picture = draw(tiled, request);
                assertEquals(draw(whole, request).toString(), picture.toString());
                assertFalse(Arrays.equals(draw(whole, request).rgb(), picture.rgb()), "it was not tiled");
                assertArrayEquals(picture.rgb(), draw(tiled, request).rgb(), "a second time");
            }
        }
    }

    @Test
    void maskedPicturesAreTiledToo() {
        RandomModel.write(folder, Family.INPAINTING);
        try (DiffusionPipeline tiled = open(SMALL)) {
            GivenImage masked = GivenImage.of(FamiliesTest.picture(32, 48)).withMask(FamiliesTest.mask(32, 48));
            assertEquals("32x48", draw(tiled, STAR.withGiven(masked)).toString());
        }
    }

    @Test
    void oneDecoderServesAllSizes() {
        try (DiffusionPipeline tiled = open(SMALL); DiffusionPipeline whole = open(new Tiles.Whole())) {
            draw(tiled, STAR.withSize(32, 32));
            draw(whole, STAR.withSize(32, 32));
            provider.faults().arm(0, EnumSet.of(Call.BUILD), Manner.THROWN);
            draw(tiled, STAR.withSize(48, 32));
            draw(tiled, STAR.withSize(32, 64));
            assertEquals(2, provider.faults().callsSeen(), "a denoiser for each size");
            draw(whole, STAR.withSize(48, 32));
            assertEquals(4, provider.faults().callsSeen(), "a denoiser and a decoder");
            draw(tiled, STAR.withSize(16, 32));
            assertEquals(6, provider.faults().callsSeen(), "a denoiser, and a decoder for what is smaller than a tile");
        }
    }

    @Test
    void previewsAreTiledAsThePictureIs() throws Exception {
        try (DiffusionPipeline tiled = open(SMALL)) {
            // A request in front holds the pipeline's thread until the listener is there.
            tiled.submit(STAR.withSize(48, 32));
            Generation generation = tiled.submit(STAR.withSize(48, 32).withPreviewEvery(1));
            List<Image> previews = new ArrayList<>();
            var heard = generation.onProgress(progress -> progress.preview().ifPresent(previews::add));
            generation.result().join();
            heard.get(60, TimeUnit.SECONDS);
            assertEquals(STAR.steps().orElseThrow() - 1, previews.size());
            previews.forEach(preview -> assertEquals("48x32", preview.toString()));
        }
    }

    @Test
    void memoryOfTheAutoencoderGrowsWithTheTileNotWithThePicture() {
        try (DiffusionPipeline tiled = open(SMALL); DiffusionPipeline whole = open(new Tiles.Whole())) {
            TensorType latents = TensorType.of(DataType.FLOAT32, 1, 4, 12, 12);
            TensorType large = TensorType.of(DataType.FLOAT32, 1, 4, 48, 24);
            Autoencoder inTiles = tiled.spec().stages().getFirst().autoencoder();
            Autoencoder inOne = whole.spec().stages().getFirst().autoencoder();
            assertEquals(workBytes(inOne.decoder(latents)), workBytes(inTiles.decoder(large)));
            assertEquals(workBytes(inOne.encoder(latents)), workBytes(inTiles.encoder(large)));
            assertEquals(8 * workBytes(inTiles.decoder(large)), workBytes(inOne.decoder(large)));
            long decoding = workBytes(inOne.decoder(large));
            assertTrue(whole.spec().memory(STAR.withSize(48, 96)).getFirst().workBytes() >= decoding);
        }
    }

    private static long workBytes(StaticGraph half) {
        return DeviceForm.ONNX_RUNTIME.workBytes(half.graph());
    }

    @Test
    void tilesThatAreNoWholeLatentsAreRefused() {
        String message = assertThrows(RequestException.class, () -> open(new Tiles.OfSide(15))).getMessage();
        assertTrue(message.contains("multiple of 2 pixels a side, not 15"), message);
    }
}
