package dev.slipstream.samples.latents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cache.LatentTrial;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.latents.PromptGroups.Group;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptGroupsTest {
    @Test
    void emptyLinesDivideGroupsAndCommentsMeanNothing() {
        assertEquals(new PromptGroups(List.of(new Group("line 2 of x", List.of("a star", "the star")),
            new Group("line 7 of x", List.of("a cat", "the cat", "one cat")))),
            PromptGroups.parse("x", "# stars\na star\n the star \n\n\n\na cat\n# another\nthe cat\none cat"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        a cat/the cat//a dog            | line 4 of x is a group of one prompt, which can be compared with none
        a cat/the cat//a dog/a fox/a dog | line 6 of x has the prompt of line 4 again; leave out one of them
        # nothing//                     | x has no prompts; write groups of them that say the same
        """)
    void whatIsWrongIsSaidWithItsLine(String text, String complaint) {
        String message = assertThrows(InputException.class,
            () -> PromptGroups.parse("x", text.replace('/', '\n'))).getMessage();
        assertTrue(message.startsWith(complaint), message);
    }

    @Test
    void allThatComeWithTheCommandSayTheSameOrHaveFewWordsMore() {
        LatentTrial words = new LatentTrial();
        for (PromptGroups groups : List.of(PromptGroups.everyday(),
            PromptGroups.read(CommandRun.MODEL.resolve("slipstream-prompts.txt")))) {
            for (Group group : groups.groups()) {
                List<Integer> extra = group.prompts().stream()
                    .map(prompt -> words.extraWords(group.prompts().getFirst(), prompt).orElse(-1)).toList();
                assertTrue(extra.stream().allMatch(it -> it == 0 || it == 1), group + " has " + extra);
                assertTrue(extra.contains(1), group::toString);
            }
        }
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        assertTrue(assertThrows(InputException.class, () -> PromptGroups.read(Path.of("nowhere.txt"))).getMessage()
            .contains("nowhere.txt"));
    }
}
