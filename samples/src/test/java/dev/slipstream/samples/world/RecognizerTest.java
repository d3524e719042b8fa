package dev.slipstream.samples.world;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecognizerTest {
    private static final Recognizer RECOGNIZER = new Recognizer();

    @Test
    void aRenderedSceneIsSeenAsWhatItIs() {
        Random random = new Random(5);
        for (int i = 0; i < 100; i++) {
            Scene scene = Scene.random(random);
            assertEquals(scene, RECOGNIZER.recognize(scene.render(random)));
        }
    }

    /** Clear, noisy and blended ones: {@code judge.py pictures.png pictures.txt}. */
    @Test
    void itSeesWhatThePythonOneSees() throws IOException {
        try (InputStream sheet = resource("pictures.png")) {
            assertEquals(lines("pictures.txt"), captions(Image.read(sheet), 1));
        }
    }

    /** What the model has drawn: {@code judge.py --read grid.png 128 grid.txt}. */
    @Test
    void itSeesInTheSampleModelsPicturesWhatThePythonOneSees() throws IOException {
        assertEquals(lines("grid.txt"), captions(Image.read(Path.of("model/grid.png")), 4));
    }

    private static List<String> captions(Image sheet, int zoom) {
        int side = zoom * Scene.PIXELS;
        List<String> captions = new ArrayList<>();
        for (int top = 0; top < sheet.height(); top += side) {
            for (int left = 0; left < sheet.width(); left += side) {
                captions.add(RECOGNIZER.recognize(cut(sheet, left, top, zoom)).caption());
            }
        }
        return captions;
    }

    private static Image cut(Image sheet, int left, int top, int zoom) {
        byte[] rgb = new byte[3 * Scene.PIXELS * Scene.PIXELS];
        for (int i = 0; i < rgb.length; i++) {
            int pixel = i / 3;
            int color = sheet.rgbAt(left + zoom * (pixel % Scene.PIXELS), top + zoom * (pixel / Scene.PIXELS));
            rgb[i] = (byte) (color >> 8 * (2 - i % 3));
        }
        return Image.of(Scene.PIXELS, Scene.PIXELS, rgb);
    }

    private static List<String> lines(String name) throws IOException {
        try (InputStream text = resource(name)) {
            return new String(text.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        }
    }

    private static InputStream resource(String name) {
        return Objects.requireNonNull(RecognizerTest.class.getResourceAsStream(name), name);
    }
}
