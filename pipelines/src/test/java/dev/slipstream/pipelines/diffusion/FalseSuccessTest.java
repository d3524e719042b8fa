package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.run.BadValueException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What no picture can come of is an error that names the component at fault, and never a black picture. */
class FalseSuccessTest {
    private static final ImageRequest STAR = ImageRequest.of("star").withSteps(2).withSeed(7);

    @TempDir
    private Path folder;

    @BeforeEach
    void write() {
        RandomModel.write(folder, RandomModel.Family.STABLE_DIFFUSION);
    }

    /** Writes a component's weights anew. */
    private void change(String component, StoredType type, String tensor, UnaryOperator<Float> changed) {
        Path file = folder.resolve(component).resolve("model.safetensors");
        Map<String, StoredTensor> all = new LinkedHashMap<>();
        try (SafetensorsFile old = SafetensorsFile.open(file)) {
            old.tensors().forEach((name, weight) -> {
                float[] values = weight.toFloats();
                for (int i = 0; name.startsWith(tensor) && i < values.length; i++) {
                    values[i] = changed.apply(values[i]);
                }
                all.put(name, StoredTensor.of(type, weight.shape(), values));
            });
        }
        SafetensorsWriter.write(file, all, Map.of());
    }

    private String failure(ImageRequest request) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").open()) {
            Throwable cause = assertThrows(CompletionException.class,
                () -> pipeline.submit(request).result().join()).getCause();
            return assertInstanceOf(BadValueException.class, cause).getMessage();
        }
    }

    private static void assertSays(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), () -> message + "\ndoes not say " + part);
        }
    }

    @Test
    void aTextEncoderThatOverflowsIsNamed() {
        change("text_encoder", StoredType.F32, "text_model.final_layer_norm.bias", value -> Float.NaN);
        assertSays(failure(STAR), "text_encoder made", "last_hidden_state NaN or infinite", "damaged");
    }

    @Test
    void aDenoiserThatOverflowsIsNamedWithWhatFindsTheSegment() {
        change("unet", StoredType.F32, "conv_out.bias", value -> Float.POSITIVE_INFINITY);
        assertSays(failure(STAR), "the denoiser left latents", "after its 2 steps", "--guard");
    }

    @Test
    void anEncoderOfPicturesThatOverflowsIsNamed() {
        change("vae", StoredType.F32, "encoder.conv_out.bias", value -> Float.NaN);
        assertSays(failure(STAR.withGiven(GivenImage.of(FamiliesTest.picture(16, 16)))), "vae_encoder made");
    }

    @Test
    void aDecoderInHalfPrecisionThatOverflowsIsNamedWithItsCure() {
        change("vae", StoredType.F16, "decoder.mid_block.resnets.0.conv2", value -> 70_000f);
        assertSays(failure(STAR), "vae_decoder made", "fp16, which ends at 65504", "--vae");
    }

    @Test
    void aDecoderThatShowsNothingOfItsLatentsIsNamedWithTheColour() {
        change("vae", StoredType.F32, "decoder.conv_out", value -> 0f);
        assertSays(failure(STAR), "vae_decoder made a picture of one colour, #808080", "--vae");
    }

    @Test
    void aDecoderThatIsFarBeyondAllColoursIsNamed() {
        change("vae", StoredType.F32, "decoder.conv_out.bias", value -> 1e6f);
        assertSays(failure(STAR), "vae_decoder made a picture of one colour, #ffffff");
    }

    @Test
    void colourThatVariesBeyondWhiteIsAPicture() {
        change("vae", StoredType.F32, "decoder.conv_out.bias", value -> 8f);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices("cpu:1").open()) {
            assertEquals(16 * 16 * 3, pipeline.submit(STAR).result().join().image().rgb().length);
        }
    }
}
