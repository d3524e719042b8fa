package dev.slipstream.samples.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.diffusion.Conditioning;
import dev.slipstream.pipelines.diffusion.Conditioning.Size;
import dev.slipstream.pipelines.diffusion.GivenImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Each option changes what it names in the request, and nothing else. */
class RequestOptionsTest {
    private static final ImageRequest USUAL = ImageRequest.of("a star");

    @TempDir
    private Path folder;

    private static RequestOptions options(String... args) {
        return CommandLine.populateCommand(new RequestOptions(), args);
    }

    private static ImageRequest request(String... args) {
        return options(args).request("a star");
    }

    private static ImageRequest with(Conditioning conditioning) {
        return USUAL.withConditioning(conditioning);
    }

    @Test
    void withoutOptionsTheRequestIsTheUsualOne() {
        assertEquals(USUAL, request());
        assertEquals(List.of(), options().files());
    }

    @Test
    void theLoopIsAsAsked() {
        assertEquals(USUAL.withSteps(7), request("--steps", "7"));
        assertEquals(USUAL.withGuidance(2.5), request("--guidance", "2.5"));
        assertEquals(USUAL.withGuidanceRescale(0.7), request("--guidance-rescale", "0.7"));
        assertEquals(USUAL.withScheduler("euler"), request("--scheduler", "euler"));
        assertEquals(USUAL.withBatch(3), request("--batch", "3"));
        assertEquals(3, options("--batch", "3").batch());
    }

    @ParameterizedTest
    @ValueSource(strings = {"512x768", "512X768", " 512x768 ", "000512x000768"})
    void aSizeIsWidthAndHeight(String size) {
        assertEquals(USUAL.withSize(512, 768), request("--size", size));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "512", "512x", "x768", "512x768x1", "-1x768", "1234567x1", "1x1234567", "512 x 768"})
    void whatIsNoSizeIsRefused(String size) {
        assertEquals("--size takes WIDTHxHEIGHT in pixels, like 512x768, not '" + size
            + "'; leave it out for the model's own size",
            assertThrows(InputException.class, () -> request("--size", size)).getMessage());
    }

    @Test
    void theConditioningIsAsAsked() {
        assertEquals(with(Conditioning.DEFAULT.withWeights(true)),
            request("--prompt-weights"));
        assertEquals(with(Conditioning.DEFAULT.withWholePrompts(true)), request("--long-prompts"));
        assertEquals(with(Conditioning.DEFAULT.withClipSkip(2)), request("--clip-skip", "2"));
    }

    @Test
    void eachSizeOfTheConditioningMayStandAlone() {
        assertEquals(with(Conditioning.DEFAULT.withOriginalSize(new Size(64, 32))),
            request("--original-size", "64x32"));
        assertEquals(with(Conditioning.DEFAULT.withTargetSize(new Size(64, 32))),
            request("--target-size", "64x32"));
        assertEquals(with(Conditioning.DEFAULT.withCrop(8, 16)), request("--crop", " 8,16 "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8", "8,", "8;16", "8,16,1", "-8,16", "1234567,0", "0,1234567"})
    void whatIsNoCornerIsRefused(String crop) {
        assertEquals("--crop takes X,Y in pixels, like 0,16, not '" + crop + "'; leave it out for no crop",
            assertThrows(InputException.class, () -> request("--crop", crop)).getMessage());
    }

    @Test
    void aGivenPictureIsReadWithAllThatIsSaidOfIt() {
        Image image = Image.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
        Image mask = Image.of(2, 1, new byte[] {0, 0, 0, -1, -1, -1});
        Path imageFile = folder.resolve("image.png");
        Path maskFile = folder.resolve("mask.png");
        image.write(imageFile);
        mask.write(maskFile);

        GivenImage given = request("--image", imageFile.toString()).given().orElseThrow();
        assertEquals(List.of(1, 2, 3, 4, 5, 6), pixels(given.image()));
        assertEquals(GivenImage.of(given.image()), given);
        assertEquals(0.25, request("--image", imageFile.toString(), "--strength", "0.25").given().orElseThrow()
            .strength().orElseThrow());
        assertEquals(33, request("--image", imageFile.toString(), "--noise-level", "33").given().orElseThrow()
            .noiseLevel().orElseThrow());
        GivenImage masked =
            request("--image", imageFile.toString(), "--mask", maskFile.toString()).given().orElseThrow();
        assertEquals(List.of(0, 0, 0, 255, 255, 255), pixels(masked.mask().orElseThrow()));
        assertEquals(List.of(imageFile, maskFile),
            options("--image", imageFile.toString(), "--mask", maskFile.toString()).files());
    }

    private static List<Integer> pixels(Image image) {
        byte[] rgb = image.rgb();
        return IntStream.range(0, rgb.length).mapToObj(i -> rgb[i] & 0xFF).toList();
    }
}
