package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results in the place of what they are made from. */
class OverwritingTest {
    @TempDir
    private Path folder;
    private Path picture;
    private byte[] before;

    @BeforeEach
    void write() throws IOException {
        picture = folder.resolve("picture.png");
        Image.of(1, 1, new byte[3]).write(picture);
        before = Files.readAllBytes(picture);
    }

    private void assertRefused(String output, String... options) throws IOException {
        List<String> args = new ArrayList<>(List.of("generate", "x", "--output", output));
        args.addAll(List.of(options));
        CommandRun run = CommandRun.of(args.toArray(String[]::new));
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertTrue(run.err().contains("would take the place of"), run.err());
        assertEquals(1, run.complaints().size());
        assertArrayEquals(before, Files.readAllBytes(picture));
    }

    @Test
    void theGivenPictureIsNotOverwritten() throws IOException {
        assertRefused(picture.toString(), "--image", picture.toString());
        assertRefused(folder + "/./" + picture.getFileName(), "--image", picture.toString());
        Path link = Files.createSymbolicLink(folder.resolve("link.png"), Path.of("picture.png"));
        assertRefused(link.toString(), "--image", picture.toString());
        assertRefused(picture.toString(), "--image", link.toString());
        Path hard = Files.createLink(folder.resolve("hard.png"), picture);
        assertRefused(hard.toString(), "--image", picture.toString());
        Path linked = Files.createSymbolicLink(folder.resolveSibling(folder.getFileName() + "-link"), folder);
        assertRefused(linked.resolve("picture.png").toString(), "--image", picture.toString());
        Files.delete(linked);
    }

    @Test
    void theMaskAndALoraAreNotOverwritten() throws IOException {
        Path mask = Files.copy(picture, folder.resolve("mask.png"));
        assertRefused(mask.toString(), "--image", picture.toString(), "--mask", mask.toString());
        assertRefused(picture.toString(), "--lora", picture + ":0.5");
    }

    @Test
    void aPreviewDoesNotTakeThePlaceOfThePicture() throws IOException {
        Path given = Files.copy(picture, folder.resolve("a.preview.png"));
        assertRefused(folder.resolve("a.png").toString(), "--image", given.toString());
    }

    @Test
    void neitherATimelineNorATraceTakesThePlaceOfAnything() throws IOException {
        String other = folder.resolve("other.png").toString();
        assertRefused(other, "--image", picture.toString(), "--timeline", picture.toString());
        assertRefused(picture.toString(), "--trace", picture.toString());
        String both = folder.resolve("both").toString();
        assertRefused(other, "--trace", both, "--timeline", both);
    }

    @Test
    void aLinkThatLeadsNowhereIsNoOutput() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link.png"), Path.of("none.png"));
        CommandRun run = CommandRun.of("generate", "x", "--output", link.toString());
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("it is a link to none.png, which is missing"), run.err());
        assertTrue(Files.isSymbolicLink(link));
    }

    @Test
    void aRunDoesNotOverwriteItsComponentOrItsInputs() throws IOException {
        Path inputs = Files.writeString(folder.resolve("in.safetensors"), "inputs");
        Path component = Files.createDirectory(folder.resolve("vae"));
        Path weights = Files.writeString(component.resolve("model.safetensors"), "weights");
        for (Path output : new Path[] {inputs, weights}) {
            CommandRun run = CommandRun.of("run", component.toString(), "--inputs", inputs.toString(), "--output",
                output.toString());
            assertEquals(ExitCode.WRONG_USAGE, run.code());
            assertTrue(run.err().contains("would take the place of " + output), run.err());
        }
        assertEquals("weights", Files.readString(weights));
    }

    @Test
    void aPictureDoesNotTakeThePlaceOfAFileOfTheModel() throws IOException {
        Path unet = Files.createDirectories(folder.resolve("model/unet"));
        Path elsewhere = Files.move(picture, Files.createDirectory(folder.resolve("blobs")).resolve("weights.png"));
        picture = elsewhere;
        Path weights = Files.createSymbolicLink(unet.resolve("weights.png"), elsewhere);
        Path alias = Files.createSymbolicLink(folder.resolve("alias"), unet);
        String model = unet.getParent().toString();
        for (Path output : new Path[] {weights, elsewhere, alias.resolve("weights.png")}) {
            assertRefused(output.toString(), "--model", model);
            assertRefused(output.toString(), "--refiner", model);
            assertRefused(output.toString(), "--lora", unet.toString());
        }
        CommandRun run = CommandRun.of("generate", "x", "--output", unet.resolve("model.onnx").toString());
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("written as .png, .jpg or .jpeg"), run.err());
    }
}
