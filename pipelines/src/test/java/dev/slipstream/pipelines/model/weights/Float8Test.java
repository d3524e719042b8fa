package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.ReferenceFiles;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Float8Test {
    private static float[] all(StoredType type) {
        byte[] codes = new byte[256];
        for (int code = 0; code < codes.length; code++) {
            codes[code] = (byte) code;
        }
        return new StoredTensor(type, Shape.of(256), MemorySegment.ofArray(codes)).toFloats();
    }

    /** From the tables of the formats' paper. */
    @ParameterizedTest
    @CsvSource({"F8_E4M3, 0x01, 0x1p-9", "F8_E4M3, 0x07, 0x1.cp-7", "F8_E4M3, 0x08, 0x1p-6", "F8_E4M3, 0x38, 1",
        "F8_E4M3, 0x7e, 448", "F8_E4M3, 0xfe, -448", "F8_E4M3, 0x78, 256", "F8_E4M3, 0x7f, NaN", "F8_E4M3, 0xff, NaN",
        "F8_E5M2, 0x01, 0x1p-16", "F8_E5M2, 0x03, 0x1.8p-15", "F8_E5M2, 0x04, 0x1p-14", "F8_E5M2, 0x3c, 1",
        "F8_E5M2, 0x7b, 57344", "F8_E5M2, 0x7c, Infinity", "F8_E5M2, 0xfc, -Infinity", "F8_E5M2, 0x7d, NaN",
        "F8_E5M2, 0xff, NaN"})
    void codesHaveTheirValues(StoredType type, String code, String value) {
        assertEquals(Float.parseFloat(value), all(type)[Integer.decode(code)]);
    }

    @ParameterizedTest
    @CsvSource({"F8_E4M3", "F8_E5M2"})
    void aSignIsTheUpperBit(StoredType type) {
        float[] values = all(type);
        for (int code = 1; code < 128; code++) {
            assertEquals(values[code], -values[code + 128]);
            assertTrue(code == 1 || !(values[code] <= values[code - 1]), "codes rise with their values");
        }
        assertEquals(0x80000000, Float.floatToRawIntBits(values[128]));
    }

    @Test
    void allCodesHaveTheValuesOfTheReferenceImplementation() {
        Path folder = ReferenceFiles.orSkip("reference-files", "fp8_codes");
        try (SafetensorsFile codes = SafetensorsFile.open(folder.resolve("codes.safetensors"));
            SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            assertEquals(2, codes.tensors().size());
            codes.tensors().forEach((name, tensor) -> {
                float[] right = expected.tensor(name).toFloats();
                float[] values = tensor.toFloats();
                for (int i = 0; i < right.length; i++) {
                    assertEquals(right[i], values[i], name + " " + i);
                }
            });
        }
    }
}
