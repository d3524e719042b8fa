package dev.slipstream.pipelines.diffusion.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.KeptChoices.Kept;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeptChoicesTest {
    private static final Candidate SPLIT = new Candidate("cfg-split", 2);
    private static final List<Candidate> ALL = List.of(new Candidate("sequential", 1), SPLIT);
    private static final Kept CHOICE = new Kept(SPLIT, "cfg-split on 2 devices: predicted 1.80 times as fast");

    @TempDir
    private Path folder;

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("plans"))) {
            return files.findFirst().orElseThrow();
        }
    }

    private KeptChoices choices() {
        return new KeptChoices(folder.resolve("plans"));
    }

    @Test
    void whatWasKeptIsFoundByOthersAndNothingElse() {
        assertEquals(Optional.empty(), choices().find("a", ALL));
        choices().keep("a", CHOICE);
        assertEquals(Optional.of(CHOICE), choices().find("a", ALL));
        assertEquals(Optional.empty(), choices().find("b", ALL));
    }

    @Test
    void aPlanThatIsNoneOfThoseToChooseFromIsNotTaken() {
        choices().keep("a", CHOICE);
        assertEquals(Optional.empty(), choices().find("a", ALL.subList(0, 1)));
    }

    @Test
    void aFileThatIsDamagedAnywhereIsRefusedAndWrittenAnew() throws IOException {
        choices().keep("a", CHOICE);
        String text = Files.readString(onlyFile()).strip();
        for (int place = 0; place < text.length(); place += 3) {
            char other = text.charAt(place) == '1' ? '2' : '1';
            Files.writeString(onlyFile(), text.substring(0, place) + other + text.substring(place + 1));
            Optional<Kept> found = choices().find("a", ALL);
            assertTrue(found.isEmpty(), text.substring(place));
            Files.writeString(onlyFile(), text.substring(0, place));
            assertTrue(choices().find("a", ALL).isEmpty(), text.substring(0, place));
        }
        choices().keep("a", CHOICE);
        assertEquals(Optional.of(CHOICE), choices().find("a", ALL));
    }

    @Test
    void aFileOfAnotherChoiceUnderThisNameIsRefused() throws IOException {
        choices().keep("a", CHOICE);
        Files.copy(onlyFile(), folder.resolve("plans").resolve("b.json"));
        assertEquals(Optional.empty(), choices().find("b", ALL));
    }

    @Test
    void whereNothingCanBeWrittenNothingIsKeptAndNothingFails() throws IOException {
        Files.writeString(folder.resolve("plans"), "a file where a folder should be");
        choices().keep("a", CHOICE);
        assertEquals(Optional.empty(), choices().find("a", ALL));
    }

    @Test
    void theOldestGoWhenThereAreMany() throws IOException {
        choices().keep("oldest", CHOICE);
        Files.setLastModifiedTime(onlyFile(), FileTime.fromMillis(1));
        for (int more = 0; more < KeptChoices.MOST_FILES; more++) {
            Files.writeString(folder.resolve("plans").resolve("x" + more + ".json"), "{}");
        }
        choices().keep("newest", CHOICE);
        assertFalse(Files.exists(folder.resolve("plans").resolve("oldest.json")));
        assertEquals(Optional.of(CHOICE), choices().find("newest", ALL));
    }
}
