package dev.slipstream.samples.options;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultFilesTest {
    @TempDir
    private Path folder;
    private Path there;
    private Path other;

    @BeforeEach
    void write() throws IOException {
        there = Files.writeString(folder.resolve("there.png"), "a");
        other = Files.writeString(folder.resolve("other.png"), "b");
    }

    private static void assertRefused(Path output, Path... others) {
        InputException refused = assertThrows(InputException.class,
            () -> ResultFiles.refuseOverwriting("--png", output, List.of(others)));
        assertEquals("--png " + output + " would take the place of " + others[others.length - 1]
            + "; choose another --png", refused.getMessage());
    }

    private static void assertTaken(Path output, Path... others) {
        assertDoesNotThrow(() -> ResultFiles.refuseOverwriting("--png", output, List.of(others)));
    }

    @Test
    void aFileThatIsReadIsNotOverwritten() throws IOException {
        assertRefused(there, there);
        assertRefused(there, other, there);
        assertRefused(there, folder.resolve("none").resolve("..").resolve("there.png").normalize());
        assertRefused(Files.createSymbolicLink(folder.resolve("link.png"), there), there);
        assertRefused(there, Files.createLink(folder.resolve("hard.png"), there));
    }

    @Test
    void otherFilesAreTaken() {
        assertTaken(null, there);
        assertTaken(there, other);
        assertTaken(there, folder.resolve("none.png"));
        assertTaken(folder.resolve("new.png"), there, other);
        assertTaken(there);
    }

    @Test
    void twoResultsThatAreNotThereYetAreToldByTheirPlace() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        assertRefused(folder.resolve("new.png"), folder.resolve("new.png"));
        assertRefused(folder.resolve("new.png"), inner.resolve("..").resolve("new.png"));
        Path link = Files.createSymbolicLink(folder.resolve("alias"), inner);
        assertRefused(link.resolve("new.png"), inner.resolve("new.png"));
        assertTaken(folder.resolve("new.png"), folder.resolve("newer.png"));
        assertTaken(folder.resolve("new.png"), inner.resolve("new.png"));
        assertTaken(folder.resolve("nowhere").resolve("new.png"), folder.resolve("nowhere").resolve("new.png"));
    }

    @Test
    void aResultThatCannotBeWrittenIsSaidWithItsOption() {
        Path output = folder.resolve("nowhere").resolve("a.json");
        InputException refused = assertThrows(InputException.class,
            () -> ResultFiles.checkWritable("--json", List.of(there, output)));
        assertTrue(refused.getMessage().endsWith("; choose another --json"), refused.getMessage());
        assertTrue(refused.getMessage().contains(output.getParent().toString()), refused.getMessage());
        assertDoesNotThrow(() -> ResultFiles.checkWritable("--json", List.of(there, folder.resolve("new.json"))));
    }

    @Test
    void theFilesOfAModelAreThoseInItsFolders() throws IOException {
        Path unet = Files.createDirectories(folder.resolve("unet").resolve("onnx")).getParent();
        Path graph = Files.writeString(unet.resolve("model.onnx"), "g");
        Path weights = Files.writeString(unet.resolve("onnx").resolve("weights"), "w");
        Path config = Files.writeString(Files.createDirectory(folder.resolve("scheduler")).resolve("config.json"), "c");
        assertEquals(Set.of(graph, weights), Set.copyOf(ResultFiles.ofComponent(unet)));
        assertEquals(Set.of(graph, weights, config), Set.copyOf(ResultFiles.ofModel(folder)));
        assertEquals(3, ResultFiles.ofModel(folder).size());
    }

    @Test
    void whatIsNoFolderIsItsOwnFile() {
        assertEquals(List.of(there), ResultFiles.ofComponent(there));
        assertEquals(List.of(folder.resolve("none")), ResultFiles.ofComponent(folder.resolve("none")));
        assertEquals(List.of(), ResultFiles.ofModel(folder.resolve("none")));
    }
}
