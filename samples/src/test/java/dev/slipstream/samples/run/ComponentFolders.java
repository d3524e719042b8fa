package dev.slipstream.samples.run;

import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.CommandRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Folders of components with inputs and PyTorch's outputs; {@code components.py} among them wrote them. */
final class ComponentFolders {
    private static final Path COMMITTED = Path.of("src/test/resources/dev/slipstream/samples/run");

    private ComponentFolders() {
    }

    static Path committed(String name) {
        return COMMITTED.resolve(name);
    }

    /** Copies a folder to where a test may change it. */
    static Path copy(String name, Path to) throws IOException {
        try (Stream<Path> files = Files.list(committed(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        return to;
    }

    /** Changes the tensors of a file. */
    static void change(Path file, Consumer<Map<String, StoredTensor>> change) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            read.tensors().forEach((name, tensor) -> tensors.put(name, new StoredTensor(tensor.type(), tensor.shape(),
                MemorySegment.ofArray(tensor.data().toArray(ValueLayout.JAVA_BYTE)))));
        }
        change.accept(tensors);
        SafetensorsWriter.write(file, tensors, Map.of());
    }

    /** Runs a folder on its own inputs. */
    static CommandRun run(Path folder, String... options) {
        List<String> arguments = new ArrayList<>(List.of("run", folder.toString(), "--inputs",
            folder.resolve("inputs.safetensors").toString()));
        arguments.addAll(List.of(options));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    /** Runs a folder on its own inputs and compares with its own outputs. */
    static CommandRun check(Path folder, String tolerance) {
        return run(folder, "--expect", folder.resolve("expected.safetensors").toString(), "--tolerance", tolerance);
    }
}
