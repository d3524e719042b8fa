package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart.Reading;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.RequestException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ControlNets are told, in numbers. */
class SteeringTest {
    private static final Image DOT = Image.of(1, 1, new byte[] {0, 51, (byte) 255});
    private static final ControlNetPart NET = net("controlnet", false);

    private static ControlNetPart net(String module, boolean global) {
        return new ControlNetPart(module, Path.of("nets", module), module + ".picture", module + ".scales", 3,
            OptionalInt.of(8), global, Reading.PIXELS);
    }

    private static Steering steering(List<ControlNetPart> nets, List<ControlImage> images) {
        return new Steering(nets, images, Optional.empty(), 1, 1, 1, Shape.of(1, 4, 1, 1));
    }

    private static Steering skipping(LayerGuidance layers, double guidance) {
        return new Steering(List.of(), List.of(), Optional.of(layers), guidance, 1, 1, Shape.of(1, 4, 1, 1));
    }

    /** diffusers: {@code i > n * start and i < n * stop}. */
    @ParameterizedTest
    @CsvSource({"28, 1 2 3 4 5", "50, 1 2 3 4 5 6 7 8 9", "4, ''", "5, ''", "6, 1"})
    void layersAreSkippedAtSomeOfTheFirstSteps(int steps, String skipping) {
        Set<Integer> rests = new TreeSet<>(skipping(LayerGuidance.of(7, 8, 9), 4.5).rests(steps, steps)
            .get("skipping"));
        List<Integer> runs = skipping.isEmpty() ? List.of()
            : List.of(skipping.split(" ")).stream().map(Integer::valueOf).toList();
        assertEquals(runs, IntStream.range(0, steps).boxed().filter(step -> !rests.contains(step)).toList());
    }

    /** So that what comes out is guided, and the difference is added to it as often as the scale says. */
    @Test
    void whatSkippedLayersAddIsDividedByTheGuidance() {
        assertArrayEquals(new float[] {0, 0.625f},
            skipping(LayerGuidance.of(7).withScale(2.5), 4).bothRows(Optional.empty()).get("skipping_scale"));
        assertEquals(Set.of(0, 1, 2), skipping(LayerGuidance.of(7).withScale(0).withRange(0, 1), 4).rests(3, 3)
            .get("skipping"));
        assertEquals(Set.of(0), skipping(LayerGuidance.of(7).withRange(0, 1), 4).rests(3, 3).get("skipping"));
        assertThrows(RequestException.class, () -> skipping(LayerGuidance.of(7), 1));
    }

    private static float[] scales(ControlNetPart net, ControlImage image) {
        return steering(List.of(net), List.of(image)).bothRows(Optional.empty()).get(net.scales());
    }

    @Test
    void picturesAreFrom0To1RedFirstForBothPredictions() {
        assertArrayEquals(new float[] {0, 0.2f, 1, 0, 0.2f, 1}, steering(List.of(NET),
            List.of(ControlImage.of(DOT))).bothRows(Optional.empty()).get("controlnet.picture"));
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
        Steering steering = steering(List.of(NET), List.of(ControlImage.of(DOT).withRange(from, to)));
        Set<Integer> at = resting.isEmpty() ? Set.of()
            : Set.copyOf(List.of(resting.split(" ")).stream().map(Integer::valueOf).toList());
        assertEquals(at.isEmpty() ? Map.of() : Map.of("controlnet", at), steering.rests(steps, steps));
    }

    /** The first of two models takes some of the steps; shares are of all. */
    @Test
    void rangesAreOfAllStepsOfThePicture() {
        Steering steering = steering(List.of(NET, net("controlnet_1", false)), List.of(ControlImage.of(DOT),
            ControlImage.of(DOT).withRange(0, 0.5)));
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
        return assertThrows(RequestException.class, () -> steering(nets, images)).getMessage();
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
