package dev.slipstream.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.cpu.CpuProvider;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CombinationTest {
    private final CpuProvider provider = new CpuProvider();
    private final Device device = provider.open(DeviceSpec.parse("cpu"));
    private final Device other = provider.open(DeviceSpec.parse("cpu"));
    private final Buffer buffer = device.allocate(64);
    private final Buffer elsewhere = other.allocate(64);

    @AfterEach
    void close() {
        buffer.close();
        elsewhere.close();
        device.close();
        other.close();
    }

    @Test
    void oneToEightTermsEachWithAWeightAreTaken() {
        Slice out = buffer.slice(0, 8);
        for (int terms = 1; terms <= Combination.MAX_TERMS; terms++) {
            assertEquals(terms, new Combination(out, Collections.nCopies(terms, buffer.slice(8, 8)),
                Collections.nCopies(terms, 1f)).inputs().size());
        }
        refused("0 inputs", out, List.of(), List.of());
        refused("9 inputs", out, Collections.nCopies(9, out), Collections.nCopies(9, 1f));
        refused("1 inputs and 2 weights", out, List.of(out), List.of(1f, 1f));
    }

    @Test
    void slicesMustFitEachOther() {
        refused("8 bytes", buffer.slice(0, 4), List.of(buffer.slice(4, 8)), List.of(1f));
        refused("whole number", buffer.slice(0, 6), List.of(buffer.slice(0, 6)), List.of(1f));
        refused("beginning", buffer.slice(2, 8), List.of(buffer.slice(2, 8)), List.of(1f));
        refused("beginning", buffer.slice(0, 8), List.of(buffer.slice(10, 8)), List.of(1f));
        refused("cpu:1", buffer.slice(0, 8), List.of(elsewhere.slice(0, 8)), List.of(1f));
    }

    @Test
    void anInputMayBeTheOutputButNotPartOfIt() {
        Slice out = buffer.slice(8, 8);
        new Combination(out, List.of(out, buffer.slice(0, 8), buffer.slice(16, 8)), List.of(1f, 1f, 1f));
        refused("overlaps", out, List.of(buffer.slice(4, 8)), List.of(1f));
        refused("overlaps", out, List.of(buffer.slice(12, 8)), List.of(1f));
    }

    private static void refused(String reason, Slice out, List<Slice> inputs, List<Float> weights) {
        String message = assertThrows(IllegalArgumentException.class, () -> new Combination(out, inputs, weights))
            .getMessage();
        assertTrue(message.contains(reason), message);
    }
}
