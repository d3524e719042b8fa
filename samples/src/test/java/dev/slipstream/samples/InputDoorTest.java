package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Files of others come in by one door, {@link dev.slipstream.bridge.file.InputFile}. */
class InputDoorTest {
    private static final Pattern OPENS = Pattern.compile("Files\\.(newInputStream|newByteChannel|newBufferedReader|"
        + "lines|readString|readAllBytes|readAllLines)|FileChannel\\.open|new (FileInputStream|FileReader|"
        + "RandomAccessFile|Scanner|ZipFile|JarFile)\\(|ImageIO\\.");

    /** What opens files all the same: those that it writes itself, bytes in memory, and the kernel's. */
    private static final Set<String> OTHERS = Set.of(
        "AtomicFile.java", "CheckedFile.java", "Contention.java", "DesktopFile.java", "DigestMemory.java",
        "DriverLibrary.java", "GenerationReport.java", "GifFile.java", "IndexFile.java", "InputFile.java",
        "KeptEngines.java", "KeyLock.java", "MachineMemory.java", "SharedSession.java", "Terminal.java",
        "WideWeights.java");

    @Test
    void nothingElseOpensFiles() throws IOException {
        Set<String> opening = new TreeSet<>();
        int read = 0;
        for (String module : List.of("bridge", "pipelines", "samples")) {
            Path sources = Path.of("..", module, "src", "main", "java");
            try (Stream<Path> files = Files.walk(sources)) {
                for (Path file : files.filter(it -> it.toString().endsWith(".java")).toList()) {
                    read++;
                    if (OPENS.matcher(Files.readString(file)).find()) {
                        opening.add(file.getFileName().toString());
                    }
                }
            }
        }
        assertTrue(read > 400, "the sources are elsewhere: " + read);
        assertEquals(new TreeSet<>(OTHERS), opening);
    }
}
