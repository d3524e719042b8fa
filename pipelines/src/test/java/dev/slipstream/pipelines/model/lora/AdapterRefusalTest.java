package dev.slipstream.pipelines.model.lora;

import static dev.slipstream.pipelines.model.lora.MergedWeights.ones;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What changes weights and is not understood is refused with file and tensor, also where the rest is to be ignored. */
class AdapterRefusalTest {
    private static final String LAYER = "mid_block.attentions.0.proj_in";
    private static final String NAME = "lora_unet_mid_block_attentions_0_proj_in";

    @TempDir
    private Path folder;
    private MergedWeights merge;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    @BeforeEach
    void layer() {
        merge = new MergedWeights(folder);
        tensors.put(NAME + ".lora_down.weight", ones(2, 4));
        tensors.put(NAME + ".lora_up.weight", ones(6, 2));
    }

    private void assertRefused(String... texts) {
        ModelException refused = assertThrows(ModelException.class, () -> merge.merged(
            Map.of(LAYER + ".weight", ones(6, 4)), Loras.NONE.and(merge.lora(tensors), 1).ignoringUnknown(true)));
        for (String text : texts) {
            assertTrue(refused.getMessage().contains(text), refused.getMessage());
        }
        assertTrue(refused.getMessage().contains("adapter.safetensors"), refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"oft_blocks, OFT", "oft_R.default.weight, OFT", "boft_R, BOFT", "a1.weight, GLoRA", "ia3_l, (IA)³",
        "on_input, (IA)³", "lora_embedding_A, embedding", "lora_up.bias, biases of its own",
        "set_weight, trained whole", "modules_to_save.weight, trained whole", "base_layer.bias, trained whole",
        "reshape_weight, shape", "lora_down.scale_weight, fp8 with scales", "vera_lambda_b, another method",
        "new_factor, not understood without it"})
    void partsOfOtherMethodsAreNamed(String suffix, String method) {
        tensors.put(NAME + "." + suffix, ones(6));
        assertRefused(NAME + "." + suffix, method);
    }

    @Test
    void otherMethodsAreNamedWhereNothingElseIsThere() {
        tensors.clear();
        tensors.put(NAME + ".oft_blocks", ones(2, 3, 3));
        assertRefused(NAME + ".oft_blocks", "OFT");
    }

    @Test
    void wholeWeightsOfPeftAreNamed() {
        tensors.put("base_model.model.conv_in.weight", ones(2, 2));
        assertRefused("base_model.model.conv_in.weight", "trained whole");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void factorsThatAreNotFiniteAreNamed(float value) {
        tensors.put(NAME + ".lora_up.weight", MergedWeights.filled(value, 6, 2));
        assertRefused(NAME + ".lora_up.weight", "infinities or NaN");
    }

    @Test
    void aSumThatTheTypeCannotHoldIsRefused() {
        tensors.put(NAME + ".alpha", MergedWeights.filled(1e38f, 1));
        tensors.put(NAME + ".lora_up.weight", MergedWeights.filled(100, 6, 2));
        assertRefused(LAYER + ".weight", "becomes larger than a number F32 can be");
    }

    @Test
    void factorsOfWholeNumbersAreNamed() {
        tensors.put(NAME + ".lora_up.weight", new StoredTensor(StoredType.I8, Shape.of(6, 2),
            MemorySegment.ofArray(new byte[12])));
        assertRefused(NAME + ".lora_up.weight", "I8");
    }

    @Test
    void alphaThatIsNoNumberIsNamed() {
        tensors.put(NAME + ".alpha", ones(3));
        assertRefused(NAME + ".alpha", "must be one number");
    }

    @Test
    void twoSpellingsOfOneLayerAreRefused() {
        tensors.put("diffusion_model.middle_block.1.proj_in.lora_down.weight", ones(2, 4));
        tensors.put("diffusion_model.middle_block.1.proj_in.lora_up.weight", ones(6, 2));
        assertRefused(NAME + ".lora_down.weight", "both change " + LAYER + ".weight");
    }

    @Test
    void lengthsThatDoNotFitAreShownWithTheirShape() {
        tensors.put(NAME + ".dora_scale", ones(5, 1));
        assertRefused(NAME + ".dora_scale [5, 1]", LAYER + ".weight [6, 4]");
    }

    @ParameterizedTest
    @CsvSource({"diff", "hada_w1_a", "lokr_w1"})
    void aLayerWrittenInTwoWaysIsRefused(String suffix) {
        tensors.put(NAME + "." + suffix, ones(6, 4));
        assertRefused(NAME);
    }

    @Test
    void aMatrixThatIsWholeAndInFactorsIsRefused() {
        tensors.clear();
        tensors.put(NAME + ".lokr_w1", ones(2, 2));
        tensors.put(NAME + ".lokr_w1_a", ones(2, 1));
        tensors.put(NAME + ".lokr_w1_b", ones(1, 2));
        tensors.put(NAME + ".lokr_w2", ones(3, 2));
        assertRefused(NAME + ".lokr_w1", "say one thing whole and in factors");
    }

    @Test
    void lengthsInTwoNamingsAreRefused() {
        tensors.put(NAME + ".dora_scale", ones(6, 1));
        tensors.put(NAME + ".lora_magnitude_vector", ones(6));
        assertRefused(NAME + ".dora_scale", "say one thing in two ways");
    }

    @Test
    void aScaleThatIsNotFiniteIsRefused() {
        tensors.put(NAME + ".alpha", number(1e300));
        tensors.put(NAME + ".scalar", number(1e300));
        assertRefused("the scale of " + NAME, "is not finite");
    }

    private static StoredTensor number(double value) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[Double.BYTES]);
        bytes.set(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, value);
        return new StoredTensor(StoredType.F64, Shape.of(), bytes);
    }

    @Test
    void aNameLongerThanThatOfAnyModuleIsRefused() {
        tensors.put("x".repeat(1001), ones(1));
        assertRefused("a tensor's name has 1001 characters");
    }

    @Test
    void quantisedFilesAreRefused() {
        Path file = folder.resolve("adapter.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of("_quantization_metadata", "{}"));
        ModelException refused = assertThrows(ModelException.class, () -> Lora.read(file));
        assertTrue(refused.getMessage().startsWith(file + " is quantised with scales"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1]", "{", "1"})
    void metadataOfDiffusersThatIsNoObjectIsRefused(String json) {
        Path file = folder.resolve("adapter.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of("lora_adapter_metadata", json));
        ModelException refused = assertThrows(ModelException.class, () -> Lora.read(file));
        assertTrue(refused.getMessage().contains("lora_adapter_metadata is not a JSON object"), refused.getMessage());
    }

    @Test
    void weightsOfOtherTypesCannotBeChanged() {
        StoredTensor doubles = new StoredTensor(StoredType.F64, Shape.of(6, 4),
            MemorySegment.ofArray(new byte[24 * Double.BYTES]));
        ModelException refused = assertThrows(ModelException.class,
            () -> merge.merged(Map.of(LAYER + ".weight", doubles), Loras.NONE.and(merge.lora(tensors), 1)));
        assertTrue(refused.getMessage().contains(LAYER + ".weight has the type F64, into which LoRAs cannot be merged"),
            refused.getMessage());
    }

    @Test
    void aFileThatHasChangedSinceItWasReadIsRefused() {
        Lora lora = merge.lora(tensors);
        tensors.put(NAME + ".lora_down.weight", ones(3, 4));
        tensors.put(NAME + ".lora_up.weight", ones(6, 3));
        merge.lora(tensors);
        ModelException refused = assertThrows(ModelException.class,
            () -> merge.merged(Map.of(LAYER + ".weight", ones(6, 4)), Loras.NONE.and(lora, 1)));
        assertTrue(refused.getMessage().contains("is not the file any more that was read"), refused.getMessage());
    }
}
