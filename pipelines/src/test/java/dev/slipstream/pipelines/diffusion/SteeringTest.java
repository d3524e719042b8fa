package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.RequestException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ControlNets are told, in numbers. */
class SteeringTest {
    private static final Image DOT = Image.of(1, 1, new byte[] {0, 51, (byte) 255});
    private static final ControlNetPart NET = net("controlnet", false);

    private static ControlNetPart net(String module, boolean global) {
        return new ControlNetPart(module, Path.of("nets", module), module + ".picture", module + ".scales", 3,
            OptionalInt.of(8), global);
    }

    private static float[] scales(ControlNetPart net, ControlImage image) {
        return new Steering(List.of(net), List.of(image), 1, 1).bothRows().get(net.scales());
    }

    @Test
    void picturesAreFrom0To1RedFirstForBothPredictions() {
        assertArrayEquals(new float[] {0, 0.2f, 1, 0, 0.2f, 1}, new Steering(List.of(NET),
            List.of(ControlImage.of(DOT)), 1, 1).bothRows().get("controlnet.picture"));
    }

    @Test
    void theScaleIsThatOfEachResidual() {
        assertArrayEquals(new float[] {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f},
            scales(NET, ControlImage.of(DOT).withScale(0.5)));
    }

    /** diffusers: {@code torch.logspace(-1, 0, 3) * scale}, and zeros where the prompt is not known. */
    @Test
    void guessingCountsWithThePromptOnlyAndMoreTheDeeper() {
        assertArrayEquals(new float[] {0, 0, 0, 0.2f, 2 * 0.31622777f, 2},
            scales(NET, ControlImage.of(DOT).withScale(2).withGuessing(true)), 1e-6f);
    }

    /** As diffusers, which takes {@code global_pool_conditions} for guess mode, but without its scales. */
    @Test
    void whatIsTheSameForTheWholePictureIsKnownWithThePromptOnly() {
        for (boolean guessing : new boolean[] {false, true}) {
            assertArrayEquals(new float[] {0, 0, 0, 2, 2, 2},
                scales(net("controlnet", true), ControlImage.of(DOT).withScale(2).withGuessing(guessing)));
        }
    }

    /** diffusers: {@code 1 - float(i / n < start or (i + 1) / n > end)}. */
    @ParameterizedTest
    @CsvSource({"0, 1, 10, ''", "0, 0.5, 10, 5 6 7 8 9", "0.3, 1, 10, 0 1 2", "0.25, 0.75, 4, 0 3",
        "0.3, 0.7, 4, 0 1 2 3", "0.2, 0.8, 5, 0 4", "0, 0.1, 4, 0 1 2 3"})
    void itRestsAtStepsThatAreNotWhollyInItsRange(double from, double to, int steps, String resting) {
        Steering steering = new Steering(List.of(NET), List.of(ControlImage.of(DOT).withRange(from, to)), 1, 1);
        Set<Integer> at = resting.isEmpty() ? Set.of()
            : Set.copyOf(List.of(resting.split(" ")).stream().map(Integer::valueOf).toList());
        assertEquals(at.isEmpty() ? Map.of() : Map.of("controlnet", at), steering.rests(steps, steps));
    }

    /** The first of two models takes some of the steps; shares are of all. */
    @Test
    void rangesAreOfAllStepsOfThePicture() {
        Steering steering = new Steering(List.of(NET, net("controlnet_1", false)), List.of(ControlImage.of(DOT),
            ControlImage.of(DOT).withRange(0, 0.5)), 1, 1);
        assertEquals(Map.of("controlnet_1", Set.of(5, 6, 7)), steering.rests(8, 10));
    }

    @Test
    void eachControlNetHasOnePicture() {
        ControlImage image = ControlImage.of(DOT);
        assertEquals("the pipeline has 1 ControlNet (controlnet) and the request brings no control pictures; give one "
            + "for each ControlNet, in their order", refused(List.of(NET), List.of()));
        assertEquals("the pipeline has 1 ControlNet (controlnet) and the request brings 2 control pictures; give one "
            + "for each ControlNet, in their order", refused(List.of(NET), List.of(image, image)));
        assertEquals("the request brings control pictures, but there is no ControlNet that would see them; add one to "
            + "the pipeline, or leave them out", refused(List.of(), List.of(image)));
    }

    private static String refused(List<ControlNetPart> nets, List<ControlImage> images) {
        return assertThrows(RequestException.class, () -> new Steering(nets, images, 1, 1)).getMessage();
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        ControlImage image = ControlImage.of(DOT);
        assertThrows(IllegalArgumentException.class, () -> image.withScale(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> image.withScale(1e9));
        assertThrows(IllegalArgumentException.class, () -> image.withRange(0.5, 0.5));
        assertThrows(IllegalArgumentException.class, () -> image.withRange(-0.1, 0.5));
        assertThrows(IllegalArgumentException.class, () -> image.withRange(0, 1.1));
        assertEquals("a ControlNet steers from a share of the steps to a larger one, between 0 and 1, not from 0.5 to "
            + "0.2", assertThrows(IllegalArgumentException.class, () -> image.withRange(0.5, 0.2)).getMessage());
    }
}
