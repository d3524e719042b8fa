package dev.slipstream.pipelines.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Programs that would wait for nothing or for ever are refused before they run. */
class MalformedProgramTest {
    private static final Region REGION = new Region(0, 0, 4);

    private final List<Device> devices =
        Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"), DeviceSpec.parse("cpu:1")));

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    private String refused(Instruction... instructions) {
        Program program = new Program(
            List.of(new Program.StreamSpec(0, false), new Program.StreamSpec(1, false)),
            List.of(new Program.BufferSpec(0, 4)), List.of(), List.of(instructions), 2, List.of(0), List.of(REGION),
            Map.of());
        return assertThrows(IllegalArgumentException.class,
            () -> new Execution(program, devices, List.of(), false, true, Duration.ofSeconds(1),
                Optional.empty()).close()).getMessage();
    }

    @Test
    void aWaitForAnEventThatIsNotRecordedIsRefused() {
        String message = refused(new Instruction.Wait(1, 0, 1), new Instruction.Record(0, 0, 0));
        assertTrue(message.contains("stream 1 waits in step 1 for event 1, which is not recorded before"), message);
    }

    @Test
    void aCycleOfWaitsIsRefused() {
        String message = refused(new Instruction.Wait(0, 0, 1), new Instruction.Record(0, 0, 0),
            new Instruction.Wait(1, 0, 0), new Instruction.Record(1, 0, 1));
        assertTrue(message.contains("stream 0 waits in step 1 for event 1, which is not recorded before"), message);
    }

    @Test
    void aDecisionBehindAnEventThatIsNotRecordedIsRefused() {
        String message = refused(new Instruction.Decide(0, 0, 0, 1, List.of(0)), new Instruction.Record(0, 0, 0),
            new Instruction.Record(0, 0, 1));
        assertTrue(message.contains("the host decides in step 1 behind event 1, which is not recorded before"),
            message);
    }

    @Test
    void aStepWhoseEventIsNotRecordedIsRefused() {
        String message = refused(new Instruction.Record(0, 0, 1));
        assertTrue(message.contains("the event of step 1 is event 0, which is never recorded"), message);
    }
}
