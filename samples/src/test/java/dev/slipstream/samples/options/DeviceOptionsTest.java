package dev.slipstream.samples.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.samples.terminal.InputException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What is not said fits what is. */
class DeviceOptionsTest {
    private static DeviceOptions of(String... args) {
        return CommandLine.populateCommand(new DeviceOptions(), args);
    }

    @ParameterizedTest
    @CsvSource({"sequential, 1", "cfg-split, 2", "asyncdiff, 2", "asyncdiff:n=3, 3", "'asyncdiff:n=4,warmup=2', 4"})
    void aPlanBringsItsDevices(String plan, int count) {
        DeviceOptions options = of("--plan", plan);
        assertEquals(plan, options.plan());
        assertEquals(count, options.devices().length);
    }

    @ParameterizedTest
    @CsvSource({"1, sequential", "cpu:2, sequential", "2, auto", "'cpu:1,cpu:1', auto",
        "4, auto"})
    void devicesBringTheirPlan(String devices, String plan) {
        assertEquals(plan, of("--devices", devices).plan());
    }

    @Test
    void withNeitherAllFitsTheProcessorsOfThisMachine() {
        boolean alone = Runtime.getRuntime().availableProcessors() == 1;
        assertEquals(alone ? "sequential" : "auto", of().plan());
        assertEquals(alone ? 1 : 2, of().devices().length);
    }

    @Test
    void aPreferenceAloneMeansThatThePlanIsChosen() {
        assertEquals("auto", of("--prefer", "fast", "--devices", "1").plan());
        assertEquals("cfg-split", of("--prefer", "fast", "--plan", "cfg-split").plan());
        assertEquals(of().devices().length, of("--plan", "auto").devices().length);
    }

    @Test
    void aNumberMeansThatManyThreads() {
        assertEquals(List.of("cpu:1", "cpu:1", "cpu:1"), List.of(of("--devices", "3").devices()));
    }

    @Test
    void thereAreAtMost256Devices() {
        assertEquals(256, of("--devices", "256").devices().length);
        for (String many : List.of("257", "0", "9999999")) {
            assertEquals("--devices takes 1 to 256 devices, not " + many + "; most plans use 2 to 4",
                assertThrows(InputException.class, () -> of("--devices", many).devices()).getMessage());
        }
    }

    @Test
    void aListIsTakenAsItStands() {
        assertEquals(List.of("cuda:0", "cpu:2"), List.of(of("--devices", "cuda:0, cpu:2").devices()));
    }
}
