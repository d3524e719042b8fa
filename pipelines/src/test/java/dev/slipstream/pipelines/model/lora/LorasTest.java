package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Merging into a checkpoint of a linear layer, two convolutions and a bias. */
class LorasTest {
    private static final String LINEAR = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
    private static final String CONV = "down_blocks.0.resnets.0.conv1";
    private static final String POINT = "down_blocks.0.attentions.0.proj_in";
    private static final Map<String, Shape> SHAPES = Map.of(LINEAR + ".weight", Shape.of(6, 5),
        CONV + ".weight", Shape.of(4, 3, 3, 3), POINT + ".weight", Shape.of(6, 7, 1, 1),
        CONV + ".bias", Shape.of(4));

    private final Random random = new Random(1);

    @TempDir
    private Path folder;
    private Path unet;

    @BeforeEach
    void checkpoint() throws IOException {
        unet = Files.createDirectory(folder.resolve("unet"));
        write(StoredType.F32);
    }

    private void write(StoredType type) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        SHAPES.forEach((name, shape) -> tensors.put(name, StoredTensor.of(type, shape, floats(shape))));
        SafetensorsWriter.write(unet.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
    }

    private float[] floats(Shape shape) {
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private StoredTensor tensor(long... dims) {
        return StoredTensor.of(Shape.of(dims), floats(Shape.of(dims)));
    }

    private Lora lora(String name, Map<String, StoredTensor> tensors) {
        Path file = folder.resolve(name + ".safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return Lora.read(file);
    }

    private static String kohya(String module, String part) {
        return "lora_unet_" + module.replace('.', '_') + "." + part;
    }

    private Map<String, StoredTensor> factors(String module, StoredTensor down, StoredTensor up) {
        return Map.of(kohya(module, "lora_down.weight"), down, kohya(module, "lora_up.weight"), up);
    }

    private Checkpoint open(Loras loras) {
        WeightStore store = new WeightStore(folder.resolve("store"), Long.MAX_VALUE);
        try (OpenLoras open = loras.storedIn(store).open()) {
            return open.open(Component.DENOISER, unet);
        }
    }

    private static StoredTensor stored(Checkpoint checkpoint, String name) {
        StoredWeight weight = checkpoint.weights().get(name);
        try (SafetensorsFile file = SafetensorsFile.open(weight.file())) {
            // As an engine finds it: by its place in the file, whatever the file calls it.
            StoredTensor found = file.tensors().entrySet().stream()
                .filter(entry -> file.offset(entry.getKey()) == weight.offset()).findFirst().orElseThrow().getValue();
            assertEquals(weight.shape(), found.shape());
            return StoredTensor.of(found.type(), found.shape(), found.toFloats());
        }
    }

    private static float[] values(Checkpoint checkpoint, String name) {
        return stored(checkpoint, name).toFloats();
    }

    /** Σ over the rank, in double precision; {@code rank} rows of {@code down}. */
    private static double[] product(StoredTensor up, StoredTensor down, double scale) {
        int rank = (int) down.shape().dim(0);
        float[] a = down.toFloats();
        float[] b = up.toFloats();
        int inner = a.length / rank;
        double[] result = new double[b.length / rank * inner];
        for (int i = 0; i < result.length; i++) {
            for (int r = 0; r < rank; r++) {
                result[i] += scale * b[i / inner * rank + r] * a[r * inner + i % inner];
            }
        }
        return result;
    }

    private static void assertChanged(float[] base, float[] merged, double tolerance, double[]... changes) {
        for (int i = 0; i < base.length; i++) {
            double expected = base[i];
            for (double[] change : changes) {
                expected += change[i];
            }
            assertEquals(expected, merged[i], tolerance, "element " + i);
        }
    }

    @Test
    void aLinearLayerBecomesWeightPlusScaledProduct() {
        StoredTensor down = tensor(2, 5);
        StoredTensor up = tensor(6, 2);
        Map<String, StoredTensor> tensors = new LinkedHashMap<>(factors(LINEAR, down, up));
        tensors.put(kohya(LINEAR, "alpha"), StoredTensor.of(Shape.of(), 3));
        Checkpoint base = Checkpoint.open(unet);
        Checkpoint merged = open(Loras.NONE.and(lora("a", tensors), 0.7));
        assertChanged(values(base, LINEAR + ".weight"), values(merged, LINEAR + ".weight"), 1e-5,
            product(up, down, 0.7 * 3 / 2));
        assertArrayEquals(values(base, CONV + ".weight"), values(merged, CONV + ".weight"), 0);
    }

    @Test
    void withoutAlphaTheScaleIsOne() {
        StoredTensor down = tensor(2, 5);
        StoredTensor up = tensor(6, 2);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(LINEAR, down, up)), 1));
        assertChanged(values(Checkpoint.open(unet), LINEAR + ".weight"), values(merged, LINEAR + ".weight"), 1e-5,
            product(up, down, 1));
    }

    @Test
    void aConvolutionsKernelCountsAsAMatrix() {
        StoredTensor down = tensor(2, 3, 3, 3);
        StoredTensor up = tensor(4, 2, 1, 1);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(CONV, down, up)), -1));
        assertChanged(values(Checkpoint.open(unet), CONV + ".weight"), values(merged, CONV + ".weight"), 1e-5,
            product(up, down, -1));
    }

    @Test
    void factorsOfALinearLayerFitAConvolutionOfOnePixel() {
        StoredTensor down = tensor(2, 7);
        StoredTensor up = tensor(6, 2);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(POINT, down, up)), 1));
        assertChanged(values(Checkpoint.open(unet), POINT + ".weight"), values(merged, POINT + ".weight"), 1e-5,
            product(up, down, 1));
    }

    @Test
    void factorsOfAConvolutionOfOnePixelFitALinearLayer() {
        StoredTensor down = tensor(2, 5, 1, 1);
        StoredTensor up = tensor(6, 2, 1, 1);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(LINEAR, down, up)), 1));
        assertChanged(values(Checkpoint.open(unet), LINEAR + ".weight"), values(merged, LINEAR + ".weight"), 1e-5,
            product(up, down, 1));
    }

    @Test
    void severalAddUpEachWithItsWeight() {
        StoredTensor down = tensor(2, 5);
        StoredTensor up = tensor(6, 2);
        StoredTensor otherDown = tensor(3, 5);
        StoredTensor otherUp = tensor(6, 3);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(LINEAR, down, up)), 0.25)
            .and(lora("b", factors(LINEAR, otherDown, otherUp)), 2));
        assertChanged(values(Checkpoint.open(unet), LINEAR + ".weight"), values(merged, LINEAR + ".weight"), 1e-4,
            product(up, down, 0.25), product(otherUp, otherDown, 2));
    }

    @ParameterizedTest
    @EnumSource(value = StoredType.class, names = {"F16", "BF16"})
    void halfPrecisionIsRoundedOnce(StoredType type) {
        write(type);
        StoredTensor down = tensor(2, 5);
        StoredTensor up = tensor(6, 2);
        float[] base = values(Checkpoint.open(unet), LINEAR + ".weight");
        double[] change = product(up, down, 1);
        float[] expected = new float[base.length];
        for (int i = 0; i < base.length; i++) {
            expected[i] = (float) (base[i] + change[i]);
        }
        StoredTensor merged = stored(open(Loras.NONE.and(lora("a", factors(LINEAR, down, up)), 1)),
            LINEAR + ".weight");
        assertEquals(type, merged.type());
        // The sum is exact to 24 bits, so rounding to 11 or 8 gives neighbours at most where it lies between two.
        float[] rounded = StoredTensor.of(type, Shape.of(6, 5), expected).toFloats();
        assertArrayEquals(rounded, merged.toFloats(), 0);
    }

    @Test
    void aWeightOfZeroIsTheCheckpointItself() {
        Lora lora = lora("a", factors(LINEAR, tensor(2, 5), tensor(6, 2)));
        assertEquals(Checkpoint.open(unet), open(Loras.NONE.and(lora, 0)));
        assertFalse(Files.exists(folder.resolve("store")));
    }

    @Test
    void takingLorasAwayGivesTheSameBytesAgain() throws IOException {
        Path file = unet.resolve("diffusion_pytorch_model.safetensors");
        byte[] before = Files.readAllBytes(file);
        Checkpoint base = Checkpoint.open(unet);
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(LINEAR, tensor(2, 5), tensor(6, 2))), 1));
        assertFalse(base.equals(merged));
        assertArrayEquals(before, Files.readAllBytes(file));
        assertEquals(base, open(Loras.NONE));
    }

    @Test
    void theSameMergeIsFoundAgainAndAnotherIsNot() throws IOException {
        Lora lora = lora("a", factors(LINEAR, tensor(2, 5), tensor(6, 2)));
        Checkpoint first = open(Loras.NONE.and(lora, 1));
        assertEquals(first, open(Loras.NONE.and(lora, 1)));
        assertFalse(first.folder().equals(open(Loras.NONE.and(lora, 0.5)).folder()));
        write(StoredType.F16);
        assertFalse(first.folder().equals(open(Loras.NONE.and(lora, 1)).folder()), "the checkpoint is another");
        try (Stream<Path> left = Files.list(folder.resolve("store"))) {
            assertEquals(3, left.count());
        }
    }

    @Test
    void allFilesOfAMergeLieInItsFolder() {
        Checkpoint merged = open(Loras.NONE.and(lora("a", factors(LINEAR, tensor(2, 5), tensor(6, 2))), 1));
        merged.weights().values().forEach(weight -> assertEquals(merged.folder(), weight.file().getParent()));
    }

    @Test
    void layersThatTheModelDoesNotHaveAreNamed() {
        Lora lora = lora("a", factors("down_blocks.7.attentions.0.proj_in", tensor(2, 5), tensor(6, 2)));
        ModelException refused = assertThrows(ModelException.class, () -> open(Loras.NONE.and(lora, 1)));
        assertTrue(refused.getMessage().contains("lora_unet_down_blocks_7_attentions_0_proj_in.lora_down.weight"),
            refused.getMessage());
        assertEquals(Checkpoint.open(unet), open(Loras.NONE.and(lora, 1).ignoringUnknown(true)));
    }

    @Test
    void tensorsThatBelongToNoLayerAreNamed() {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>(factors(LINEAR, tensor(2, 5), tensor(6, 2)));
        tensors.put("another.x.lora_A.weight", tensor(2, 5));
        Loras loras = Loras.NONE.and(lora("a", tensors), 1);
        ModelException refused =
            assertThrows(ModelException.class, () -> loras.open().check(Set.of(Component.DENOISER)));
        assertTrue(refused.getMessage().contains("another.x.lora_A.weight"), refused.getMessage());
        loras.ignoringUnknown(true).open().check(Set.of(Component.DENOISER));
    }

    @Test
    void aComponentThatTheModelDoesNotHaveIsNamed() {
        Loras loras = Loras.NONE.and(lora("a", Map.of("lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight",
            tensor(2, 5), "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", tensor(6, 2))), 1);
        ModelException refused =
            assertThrows(ModelException.class, () -> loras.open().check(Set.of(Component.DENOISER)));
        assertTrue(refused.getMessage().contains("changes the text encoder 2"), refused.getMessage());
    }

    @Test
    void factorsForOtherSizesAreRefusedWithTheSizes() {
        Lora lora = lora("a", factors(LINEAR, tensor(2, 9), tensor(6, 2)));
        ModelException refused = assertThrows(ModelException.class, () -> open(Loras.NONE.and(lora, 1)));
        assertTrue(refused.getMessage().contains("[2, 9]") && refused.getMessage().contains(LINEAR + ".weight [6, 5]"),
            refused.getMessage());
        assertFalse(Files.exists(folder.resolve("store")));
    }
}
