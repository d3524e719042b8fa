package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.CommandRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code slipstream generate} with models that make videos. */
@Tag("slow")
@Timeout(240)
class GenerateVideoTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() {
        ModelTemplate.of(ModelFamily.SVD, true).write(folder.resolve("svd"));
        ModelTemplate.of(ModelFamily.ANIMATEDIFF, true).write(folder.resolve("moving"));
        ModelTemplate.of(ModelFamily.SD15, true).write(folder.resolve("still"));
        Image.of(20, 10, new byte[600]).write(folder.resolve("given.png"));
    }

    private static CommandRun generate(String model, String... more) {
        List<String> all = new ArrayList<>(List.of("generate", "--model", folder.resolve(model).toString(), "--plan",
            "sequential", "--devices", "cpu:1", "--steps", "2", "--seed", "7"));
        all.addAll(List.of(more));
        return CommandRun.of(all.toArray(String[]::new));
    }

    private static String file(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void aPictureAloneBecomesAFolderOfFrames() throws Exception {
        CommandRun run = generate("svd", "--image", file("given.png"), "--frames", "3", "--output", file("frames"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("3 frames of 64x64 pixels, 7 a second, seed 7"), run.out());
        try (Stream<Path> frames = Files.list(folder.resolve("frames"))) {
            assertEquals(List.of("0001.png", "0002.png", "0003.png"),
                frames.map(it -> it.getFileName().toString()).sorted().toList());
        }
        assertEquals("64x64", Image.read(folder.resolve("frames/0001.png")).toString());
    }

    @Test
    void aTextBecomesAnAnimatedFileAndAReport() throws Exception {
        CommandRun run = generate("moving", "a red star", "--frames", "2", "--fps", "12", "--json", "--preview", "1",
            "--output", file("star.gif"));
        assertEquals(0, run.code(), run.err());
        JsonObject made = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals(2, made.get("frames").getAsInt());
        assertEquals(12, made.get("framesPerSecond").getAsInt());
        assertEquals(7.5, made.get("guidance").getAsDouble());
        assertEquals("GIF89a", new String(Files.readAllBytes(folder.resolve("star.gif")), 0, 6));
        assertTrue(Files.exists(folder.resolve("star.preview.png")));
    }

    @Test
    void aMotionAdapterMakesAModelOfPicturesMove() {
        CommandRun own = generate("moving", "a red star", "--frames", "2", "--output", file("own.png"));
        CommandRun lent = generate("still", "a red star", "--frames", "2", "--output", file("lent.png"),
            "--motion-adapter", file("moving/motion_adapter"));
        assertEquals(0, own.code(), own.err());
        assertEquals(0, lent.code(), lent.err());
        // The weights of both models are the same, and so is the noise scheduler that adapters are taught with.
        assertEquals(Image.read(folder.resolve("own.png")), Image.read(folder.resolve("lent.png")));
    }

    private static void assertRefused(CommandRun run, String words) {
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(words), run.err());
    }

    @Test
    void whatDoesNotFitIsRefusedInWords() {
        assertRefused(generate("still", "a star", "--frames", "3"), "for models that make videos");
        assertRefused(generate("still", "a star", "--output", file("star.gif")), "is written as .png, .jpg or .jpeg");
        assertRefused(generate("still", "--image", file("given.png")), "there is no PROMPT");
        assertRefused(generate("svd", "a star"), "give one");
        assertRefused(generate("svd", "--image", file("given.png"), "--strength", "0.5"), "is for pictures");
        assertRefused(generate("svd", "--image", file("given.png"), "--output", file("x.mp4")), "as .gif, as .png");
        assertRefused(generate("moving", "a star", "--frames", "99"), "know 32 frames");
        assertRefused(generate("moving", "a star", "--motion-adapter", file("svd/unet"), "--frames", "2"), "svd/unet");
    }
}
