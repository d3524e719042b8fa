package dev.slipstream.pipelines.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Wording;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What each family answers. */
class RecipeTest {
    private static final MicroConditioning SIZES = new MicroConditioning(1, 2, 3, 4, 5, 6);
    private static final LatentGrid GRID = new LatentGrid(4, 2, new LatentGrid.Size(8, 10));
    private static final Wording WORDS = new Wording("", "", Optional.empty(), PromptReading.DEFAULT, 0);
    private static final RecipeRequest PLAIN =
        new RecipeRequest(OptionalInt.empty(), OptionalInt.empty(), 3, WORDS, false, Optional.empty(), true);
    private static final Picture PICTURE =
        new Picture(Image.of(16, 24, new byte[16 * 24 * 3]), Optional.empty(), false, OptionalInt.empty());

    @TempDir
    private Path folder;

    private static Recipe open(ModelFolder model, DenoiserGraph denoiser, DenoiserConfig config) {
        return Family.of(denoiser).open(model, denoiser, config);
    }

    private void with(RandomModel.Family family, Consumer<Recipe> test) {
        RandomModel.write(folder, family);
        ModelFolder model = ModelFolder.open(folder);
        Recipe recipe = open(model, DenoiserGraph.read(model, ComponentFormat.CHECKPOINT), model.denoiserConfig());
        try (TextEncoders texts = recipe.texts()) {
            assertTrue(texts.weightBytes(DeviceForm.STANDARD) > 0);
            test.accept(recipe);
        }
    }

    private static RecipeRequest with(Picture picture) {
        return new RecipeRequest(OptionalInt.empty(), OptionalInt.empty(), 3, WORDS, false, Optional.of(picture), true);
    }

    private static final LatentGrid.Size LATENTS = new LatentGrid.Size(4, 6);

    private static RecipeRequest sized(int width, int height) {
        return new RecipeRequest(OptionalInt.of(width), OptionalInt.of(height), 3, WORDS, false, Optional.empty(),
            true);
    }

    private static Picture masked() {
        return new Picture(PICTURE.image(), Optional.of(PICTURE.image()), false, OptionalInt.empty());
    }

    private static Picture blurred(int level) {
        return new Picture(PICTURE.image(), Optional.empty(), false, OptionalInt.of(level));
    }

    private static String refused(Recipe recipe, RecipeRequest request) {
        return assertThrows(RequestException.class, () -> recipe.check(request)).getMessage();
    }

    @ParameterizedTest
    @EnumSource(RandomModel.Family.class)
    void theDenoiserIsToldNothingButWhatItReads(RandomModel.Family family) {
        Set<String> told = switch (family) {
            case STABLE_DIFFUSION, INPAINTING -> Set.of();
            case LATENT_CONSISTENCY -> Set.of("timestep_cond");
            case UPSCALER -> Set.of("class_labels");
            case SDXL, REFINER -> Set.of("time_ids");
        };
        with(family, recipe -> assertEquals(told, recipe.told(with(PICTURE), SIZES, LATENTS).keySet()));
    }

    @Test
    void theBaseOfSdxlIsToldSixSizesAndTheRefinerFourAndAMark() {
        with(RandomModel.Family.SDXL, recipe -> assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6},
            recipe.told(PLAIN, SIZES, LATENTS).get("time_ids").conditional()));
        with(RandomModel.Family.REFINER, recipe -> {
            ConditionValues told = recipe.told(PLAIN, SIZES, LATENTS).get("time_ids");
            assertEquals(Shape.of(5), told.row());
            assertArrayEquals(new double[] {1, 2, 3, 4, 6}, told.conditional());
            assertArrayEquals(new double[] {1, 2, 3, 4, 2.5}, told.unconditional());
        });
    }

    @Test
    void anUpscalerIsToldTheNoiseLevelWhichIsBounded() {
        with(RandomModel.Family.UPSCALER, recipe -> {
            assertArrayEquals(new double[] {20},
                recipe.told(with(PICTURE), SIZES, LATENTS).get("class_labels").conditional());
            assertArrayEquals(new double[] {350},
                recipe.told(with(blurred(350)), SIZES, LATENTS).get("class_labels").unconditional());
            recipe.check(with(blurred(350)));
            assertTrue(refused(recipe, with(blurred(351))).contains("at most 350"));
            assertTrue(refused(recipe, PLAIN).contains("enlarges a picture; give one"));
            assertTrue(refused(recipe, with(masked())).contains("leave out mask and strength"));
            assertTrue(refused(recipe, with(new Picture(PICTURE.image(), Optional.empty(), true, OptionalInt.empty())))
                .contains("leave out mask and strength"));
        });
    }

    @Test
    void guidanceIsFormedByPredictingTwiceUnlessTheModelWasTaughtIt() {
        Guidance rescaled = Guidance.of(3).withRescale(0.5);
        with(RandomModel.Family.STABLE_DIFFUSION, recipe -> {
            assertEquals(rescaled, recipe.guidance(rescaled));
            assertEquals(Guidance.NONE, recipe.guidance(Guidance.of(1)));
            assertEquals(Guidance.NONE, recipe.guidance(Guidance.of(0.5)));
            assertTrue(assertThrows(RequestException.class,
                () -> recipe.guidance(Guidance.of(1).withRescale(0.5))).getMessage().contains("more guidance than 1"));
        });
        with(RandomModel.Family.LATENT_CONSISTENCY, recipe -> {
            assertEquals(Guidance.NONE, recipe.guidance(Guidance.of(3)));
            assertTrue(assertThrows(RequestException.class, () -> recipe.guidance(rescaled)).getMessage()
                .contains("was not taught guidance"));
            double[] told = recipe.told(PLAIN, SIZES, LATENTS).get("timestep_cond").conditional();
            assertEquals(6, told.length);
            assertEquals(Math.sin(2000), told[0], 1e-12);
            assertEquals(Math.sin(2000 * Math.exp(-Math.log(10000) / 2)), told[1], 1e-12);
            assertEquals(Math.cos(2000), told[3], 1e-12);
        });
    }

    @Test
    void latentsHaveTheSizeThatIsSaidElseThePicturesElseTheUsual() {
        with(RandomModel.Family.STABLE_DIFFUSION, recipe -> {
            assertEquals(new LatentGrid.Size(8, 10), recipe.latents(PLAIN, GRID));
            assertEquals(new LatentGrid.Size(6, 4), recipe.latents(with(PICTURE), GRID));
            assertEquals(new LatentGrid.Size(2, 12), recipe.latents(sized(48, 8), GRID));
            assertTrue(assertThrows(RequestException.class, () -> recipe.latents(sized(12, 8), GRID))
                .getMessage().contains("the width must be a multiple of 8 pixels for this model, 8 or 16, not 12"));
            assertTrue(assertThrows(RequestException.class, () -> recipe.latents(sized(8, 4), GRID))
                .getMessage().contains("for this model, 8, not 4"));
        });
        with(RandomModel.Family.UPSCALER, recipe -> {
            assertEquals(new LatentGrid.Size(24, 16), recipe.latents(with(PICTURE), GRID));
            RecipeRequest other = new RecipeRequest(OptionalInt.of(64), OptionalInt.of(95), 3, WORDS, false,
                Optional.of(PICTURE), true);
            assertTrue(assertThrows(RequestException.class, () -> recipe.latents(other, GRID)).getMessage()
                .contains("enlarges a picture 4 times"));
            assertTrue(assertThrows(RequestException.class, () -> recipe.latents(with(PICTURE),
                new LatentGrid(4, 16, GRID.usual()))).getMessage().contains("must be multiples of 16 pixels"));
        });
    }

    @ParameterizedTest
    @EnumSource(RandomModel.Family.class)
    void whatBecomesOfAPictureDependsOnWhatTheDenoiserTakes(RandomModel.Family family) {
        with(family, recipe -> {
            assertEquals(family != RandomModel.Family.UPSCALER, recipe.encodesPicture());
            assertEquals(family != RandomModel.Family.UPSCALER && family != RandomModel.Family.INPAINTING,
                recipe.putsKnownPartBack());
        });
    }

    @Test
    void whatAFamilyDoesNotKnowIsRefusedByName() {
        RecipeRequest sizes = new RecipeRequest(OptionalInt.empty(), OptionalInt.empty(), 3, WORDS, true,
            Optional.of(masked()), true);
        with(RandomModel.Family.INPAINTING, recipe -> {
            assertTrue(refused(recipe, with(PICTURE)).contains("give a picture and a mask"));
            assertTrue(refused(recipe, PLAIN).contains("give a picture and a mask"));
            assertTrue(refused(recipe, sizes).contains("told nothing of sizes"));
            recipe.check(with(masked()));
        });
        with(RandomModel.Family.STABLE_DIFFUSION, recipe -> {
            assertTrue(refused(recipe, with(blurred(3))).contains("a noise level is for upscaling models"));
            recipe.check(with(masked()));
        });
        with(RandomModel.Family.SDXL, recipe -> recipe.check(sizes));
        with(RandomModel.Family.REFINER, recipe -> {
            assertTrue(refused(recipe, PLAIN).contains("refines a picture"));
            recipe.check(new RecipeRequest(OptionalInt.empty(), OptionalInt.empty(), 3, WORDS, false, Optional.empty(),
                false));
        });
    }

    @Test
    void channelsThatNoFamilyKnowsAreRefusedByTheirNumber() {
        RandomModel.write(folder, RandomModel.Family.STABLE_DIFFUSION);
        ModelFolder model = ModelFolder.open(folder);
        DenoiserGraph denoiser = DenoiserGraph.read(model, ComponentFormat.CHECKPOINT);
        DenoiserConfig config = new DenoiserConfig(8, 4, 8, 8, OptionalInt.of(8));
        assertTrue(assertThrows(ModelException.class, () -> open(model, denoiser, config)).getMessage()
            .contains("takes 8 channels and predicts 4"));
    }

    @Test
    void aConfigurationThatLeavesNoWholeNumberOfSizesIsRefused() {
        RandomModel model = RandomModel.write(folder, RandomModel.Family.SDXL);
        model.json("unet/config.json", "{'projection_class_embeddings_input_dim': 31, 'addition_time_embed_dim': 4}");
        ModelFolder opened = ModelFolder.open(folder);
        DenoiserConfig plain = new DenoiserConfig(4, 4, 8, 8, OptionalInt.of(16));
        DenoiserGraph denoiser = sdxlDenoiser();
        assertTrue(assertThrows(ModelException.class, () -> open(opened, denoiser, plain)).getMessage()
            .contains("is 31, which is not a text of 8 and 5 or 6 sizes of 4"));
    }

    /** As it was before its configuration was damaged. */
    private DenoiserGraph sdxlDenoiser() {
        Path whole = folder.resolve("whole");
        RandomModel.write(whole, RandomModel.Family.SDXL);
        return DenoiserGraph.read(ModelFolder.open(whole), ComponentFormat.CHECKPOINT);
    }
}
