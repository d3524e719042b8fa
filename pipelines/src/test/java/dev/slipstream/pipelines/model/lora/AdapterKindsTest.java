package dev.slipstream.pipelines.model.lora;

import static dev.slipstream.pipelines.model.lora.MergedWeights.ones;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Types of tensors, biases and norms, and several adapters at once. */
class AdapterKindsTest {
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

    /** 1.5 in all elements. */
    private static StoredTensor filled(StoredType type, Shape shape) {
        byte[] one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(switch (type) {
            case F64 -> Double.doubleToLongBits(1.5);
            case F32 -> Float.floatToIntBits(1.5f);
            case F16 -> 0x3e00;
            case BF16 -> 0x3fc0;
            case F8_E4M3 -> 0x3c;
            default -> 0x3e;
        }).array();
        ByteBuffer all = ByteBuffer.allocate((int) shape.elements() * type.bytes());
        while (all.hasRemaining()) {
            all.put(one, 0, type.bytes());
        }
        return new StoredTensor(type, shape, MemorySegment.ofArray(all.array()));
    }

    @ParameterizedTest
    @EnumSource(value = StoredType.class, names = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
    void factorsAndAlphaMayHaveAnyTypeWithAFraction(StoredType type) {
        tensors.put(NAME + ".lora_up.weight", filled(type, Shape.of(6, 2)));
        tensors.put(NAME + ".alpha", filled(type, Shape.of(1, 1)));
        float[] merged = merge.merged(Map.of(LAYER + ".weight", ones(6, 4)), Loras.NONE.and(merge.lora(tensors), 1))
            .get(LAYER + ".weight");
        assertEquals(1 + 1.5f / 2 * 2 * 1.5f, merged[23]);
    }

    @Test
    void alphaMayBeAWholeNumberOfAnyTypeInAnyShapeOfOneElement() {
        byte[] four = {4, 0, 0, 0, 0, 0, 0, 0};
        for (StoredType type : List.of(StoredType.I64, StoredType.U64, StoredType.I32, StoredType.U32, StoredType.I16,
            StoredType.U16, StoredType.I8, StoredType.U8)) {
            for (Shape shape : List.of(Shape.of(), Shape.of(1), Shape.of(1, 1))) {
                tensors.put(NAME + ".alpha", new StoredTensor(type, shape,
                    MemorySegment.ofArray(Arrays.copyOf(four, type.bytes()))));
                assertEquals(2, merge.lora(tensors).layers().values().iterator().next().scale(), type + " " + shape);
            }
        }
    }

    @Test
    void biasesAndNormsAreChangedByDifferences() {
        tensors.clear();
        tensors.put("lora_unet_mid_block_resnets_0_norm1.w_norm", MergedWeights.filled(0.5f, 6));
        tensors.put("lora_unet_mid_block_resnets_0_norm1.b_norm", MergedWeights.filled(0.25f, 6));
        tensors.put("diffusion_model.middle_block.0.in_layers.2.diff_b", MergedWeights.filled(2, 6));
        Map<String, float[]> merged = merge.merged(Map.of("mid_block.resnets.0.norm1.weight", ones(6),
            "mid_block.resnets.0.norm1.bias", ones(6), "mid_block.resnets.0.conv1.weight", ones(6, 4, 1, 1),
            "mid_block.resnets.0.conv1.bias", ones(6)), Loras.NONE.and(merge.lora(tensors), 2));
        assertEquals(2, merged.get("mid_block.resnets.0.norm1.weight")[5]);
        assertEquals(1.5f, merged.get("mid_block.resnets.0.norm1.bias")[5]);
        assertEquals(5, merged.get("mid_block.resnets.0.conv1.bias")[0]);
        assertEquals(1, merged.get("mid_block.resnets.0.conv1.weight")[0]);
    }

    @Test
    void severalChangesAddUpWhateverTheirKind() {
        Loras loras = Loras.NONE.and(merge.lora(tensors), 1);
        Path other = folder.resolve("other");
        assertTrue(other.toFile().mkdir());
        Map<String, StoredTensor> dora = new LinkedHashMap<>(tensors);
        dora.put(NAME + ".dora_scale", ones(6, 1));
        loras = loras.and(new MergedWeights(other).lora(dora), 0.5);
        float[] merged = merge.merged(Map.of(LAYER + ".weight", ones(6, 4)), loras).get(LAYER + ".weight");
        // The second sees the weight 1 without the first, which makes it 3; a row of four threes has the length 6.
        assertEquals(1 + 2 + 0.5f * (3f / 6 - 1), merged[0], 1e-6);
    }
}
