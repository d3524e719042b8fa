package dev.slipstream.bridge.trial;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.store.EngineStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** What takes more than one process: stored engines, cancelled builds, the end. */
final class ProcessTrials {
    private static final int COUNT = 1 << 20;

    private ProcessTrials() {
    }

    /**
     * An engine of the user's store: {@code store fresh}, {@code store kept} in a new process, {@code store damaged}
     * after this has changed a byte of it; says whether it was built, and fails if it was not as named.
     */
    static void store(Machine machine, List<String> arguments) throws IOException {
        machine.requireTensorRt();
        String wanted = arguments.getFirst();
        if (wanted.equals("damaged")) {
            changeAByte();
        }
        Instant start = Instant.now();
        float[] x = Machine.values(COUNT);
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            expected[i] = 2 * x[i] + 1;
        }
        try (Device device = machine.open(0);
                Engine engine = device.build(EngineSource.of("stored", TestModels.affine(COUNT)))) {
            Machine.requireEqual("engine", expected, Machine.run(device, engine, x), 1e-5);
        }
        boolean built = EngineStore.ofUser().list().stream()
            .anyMatch(entry -> entry.name().equals("stored") && !entry.created().isBefore(start));
        System.out.println("it was " + (built ? "built" : "loaded"));
        if (built == wanted.equals("kept")) {
            throw new AssertionError("a " + wanted + " engine was " + (built ? "built" : "loaded"));
        }
    }

    private static void changeAByte() throws IOException {
        EngineStore store = EngineStore.ofUser();
        String id = store.list().stream().filter(entry -> entry.name().equals("stored")).findFirst().orElseThrow().id();
        try (var files = Files.walk(store.folder())) {
            Path file = files.filter(path -> path.getFileName().toString().startsWith(id)).findFirst().orElseThrow();
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
            System.out.println("changed byte " + bytes.length / 2 + " of " + bytes.length);
        }
    }

    /** A build that its progress monitor ends. The log, at debug, says what TensorRT returned all the same. */
    static void cancel(Machine machine, List<String> arguments) {
        machine.requireTensorRt();
        try (Device device = machine.open(0)) {
            for (int time = 1; time <= 2; time++) {
                try (Engine engine = device.build(EngineSource.of("cancelled", TestModels.slow(512, 50)))) {
                    throw new AssertionError("the build was not cancelled");
                } catch (EngineBuildException cancelled) {
                    System.out.println(cancelled.getMessage());
                }
            }
        }
    }

    /** Ends the process with all open: {@code exit return} by returning, {@code exit exit} with exit code 3. */
    static void exit(Machine machine, List<String> arguments) {
        Device device = machine.open(0);
        Engine engine = device.build(EngineSource.of("open", TestModels.affine(COUNT)));
        ExecutionContext context = engine.newContext();
        Machine.run(device, engine, Machine.values(COUNT));
        System.out.println("open: " + context);
        if (arguments.contains("exit")) {
            System.exit(3);
        }
    }
}
