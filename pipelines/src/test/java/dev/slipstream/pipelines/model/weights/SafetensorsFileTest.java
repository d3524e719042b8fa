package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter.TensorOutline;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
    @TempDir
    private Path folder;

    private static StoredTensor bytes(StoredType type, Shape shape, int... bytes) {
        byte[] data = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            data[i] = (byte) bytes[i];
        }
        return new StoredTensor(type, shape, MemorySegment.ofArray(data));
    }

    @Test
    void keepsNamesOrderShapesValuesAndMetadata() {
        Path file = folder.resolve("a.safetensors");
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put("z \"é\" \n", bytes(StoredType.U8, Shape.of(3), 1, 2, 3));
        tensors.put("weights", StoredTensor.of(Shape.of(2, 2), 1, -2.5f, Float.NaN, 4));
        tensors.put("none", StoredTensor.of(Shape.of(2, 0)));
        tensors.put("scalar", StoredTensor.of(Shape.of(), 7));
        SafetensorsWriter.write(file, tensors, Map.of("format", "pt"));
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.tensors().keySet()));
            assertEquals(Map.of("format", "pt"), read.metadata());
            assertEquals(Shape.of(2, 2), read.tensor("weights").shape());
            assertArrayEquals(new float[] {1, -2.5f, Float.NaN, 4}, read.tensor("weights").toFloats());
            assertArrayEquals(new float[] {7}, read.tensor("scalar").toFloats());
            assertEquals(0, read.tensor("none").toFloats().length);
            assertEquals(2, read.tensor("z \"é\" \n").data().get(ValueLayout.JAVA_BYTE, 1));
        }
    }

    @Test
    void widensHalvesAndRoundsDoubles() {
        StoredTensor half = bytes(StoredType.F16, Shape.of(2), 0x00, 0x3C, 0x01, 0x00);
        assertArrayEquals(new float[] {1, 0x1p-24f}, half.toFloats());
        StoredTensor brain = bytes(StoredType.BF16, Shape.of(2), 0x80, 0xBF, 0xC0, 0x7F);
        assertArrayEquals(new float[] {-1, Float.NaN}, brain.toFloats());
        StoredTensor wide = bytes(StoredType.F64, Shape.of(1), 0, 0, 0, 0, 0, 0, 0xE0, 0x3F);
        assertArrayEquals(new float[] {0.5f}, wide.toFloats());
        assertEquals(TensorType.of(DataType.BFLOAT16, 2), brain.tensorType());
        assertThrows(ModelException.class, wide::tensorType);
        assertThrows(ModelException.class, () -> bytes(StoredType.U8, Shape.of(1), 1).toFloats());
    }

    @Test
    void refusesTensorsWhoseBytesDoNotFitTheirShape() {
        assertThrows(IllegalArgumentException.class, () -> bytes(StoredType.F16, Shape.of(2), 1, 2, 3));
    }

    @Test
    void namesTheTensorThatIsNotThere() {
        Path file = folder.resolve("a.safetensors");
        SafetensorsWriter.write(file, Map.of("a", StoredTensor.of(Shape.of(1), 1)), Map.of());
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            String message = assertThrows(ModelException.class, () -> read.tensor("b")).getMessage();
            assertTrue(message.contains("a.safetensors has no tensor \"b\""), message);
        }
    }

    @Test
    void refusesUseAfterTheCloseAndClosesTwice() {
        Path file = folder.resolve("a.safetensors");
        SafetensorsWriter.write(file, Map.of("a", StoredTensor.of(Shape.of(1), 1)), Map.of());
        SafetensorsFile read = SafetensorsFile.open(file);
        StoredTensor tensor = read.tensor("a");
        read.close();
        read.close();
        assertThrows(IllegalStateException.class, tensor::toFloats);
    }

    @Test
    void saysWhatAFileIsThatCannotBeRead() throws IOException {
        assertTrue(failure(folder.resolve("none.safetensors")).contains("there is no file"));
        assertTrue(failure(folder).contains("is a folder"), failure(folder));
        for (String pickle : List.of("model.bin", "model.PT", "model.ckpt", "model.pth")) {
            assertTrue(failure(Files.writeString(folder.resolve(pickle), "x")).contains("is a pickle"));
        }
        Path pointer = Files.writeString(folder.resolve("lfs.safetensors"),
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
        assertTrue(failure(pointer).contains("git lfs pull"));
    }

    private static String failure(Path file) {
        return assertThrows(ModelException.class, () -> SafetensorsFile.open(file)).getMessage();
    }

    @Test
    void elementsThatDoNotFitTheirOutlineAreRefusedAndNothingIsWritten() {
        Path file = folder.resolve("a.safetensors");
        Map<String, TensorOutline> outlines = Map.of("a", new TensorOutline(StoredType.F32, Shape.of(2)));

        String message = assertThrows(IllegalArgumentException.class, () -> SafetensorsWriter.write(file, outlines,
            name -> MemorySegment.ofArray(new byte[4]), Map.of())).getMessage();

        assertEquals("tensor a should have 8 bytes, not 4", message);
        assertFalse(Files.exists(file));
    }

    @Test
    void refusesNamesThatCannotBeWritten() {
        StoredTensor one = StoredTensor.of(Shape.of(1), 1);
        Path file = folder.resolve("a.safetensors");
        assertThrows(ModelException.class, () -> SafetensorsWriter.write(file, Map.of("\uD800", one), Map.of()));
        assertThrows(ModelException.class, () -> SafetensorsWriter.write(file, Map.of("__metadata__", one), Map.of()));
        assertTrue(Files.notExists(file));
    }

    @Test
    void readsTheReferenceInputs() {
        Path inputs = ReferenceFiles.orSkip("reference", "sd21", "inputs.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(inputs)) {
            assertEquals(2, file.tensor("encoder_hidden_states").shape().dim(0));
            double sum = 0;
            for (float value : file.tensor("latents").toFloats()) {
                sum += value * value;
            }
            assertEquals(1, sum / file.tensor("latents").shape().elements(), 0.15, "variance of the noise");
        }
    }
}
