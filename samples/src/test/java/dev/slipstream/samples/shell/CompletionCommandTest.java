package dev.slipstream.samples.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Words that real shells offer. */
class CompletionCommandTest {
    @TempDir
    private Path folder;

    private static boolean has(String shell) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(path -> Files.isExecutable(Path.of(path, shell)));
    }

    private Path script(Shell shell) throws IOException {
        CommandRun run = CommandRun.of("completion", shell.toString());
        assertEquals(ExitCode.OK, run.code(), run.err());
        return Files.writeString(folder.resolve("script"), run.out());
    }

    private static List<String> lines(String... command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        process.getOutputStream().close();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
            .toList();
        assertEquals(0, process.waitFor(), () -> lines.toString());
        return lines;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        ge                            | generate
        generate --st                 | --steps --step-timeout --strength
        generate x --pre              | --precision --prefer --preview --preview-decoder
        generate x --precision f      | fp16 fp32
        bench s                       | steps
        bench steps --r               | --rounds
        engines                       | build clear list
        model init --like sdxl        | sdxl sdxl-refiner
        completion                    | bash fish zsh
        run --from                    | checkpoint onnx
        """)
    void bashAndFishOfferCommandsOptionsAndValues(String words, String offered) throws Exception {
        assumeTrue(has("bash") || has("fish"), "bash or fish is needed");
        // What is complete is followed by a new word.
        List<String> all = new ArrayList<>(List.of(("slipstream " + words).split(" ")));
        if (words.matches("engines|completion|.*--from")) {
            all.add("");
        }
        if (has("bash")) {
            assertEquals(words(offered), bash(all));
        }
        if (has("fish")) {
            assertEquals(words(offered), fish(all));
        }
    }

    private static Set<String> words(String offered) {
        return new TreeSet<>(List.of(offered.split(" ")));
    }

    private Set<String> bash(List<String> words) throws Exception {
        String quoted = words.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        Path test = Files.writeString(folder.resolve("test"), """
            source '%s'
            compopt() { :; }
            complete -p slipstream >/dev/null || exit 1
            COMP_WORDS=(%s)
            COMP_CWORD=%d
            _complete_slipstream
            printf '%%s\\n' "${COMPREPLY[@]}"
            """.formatted(script(Shell.BASH), quoted, words.size() - 1));
        return lines("bash", "--norc", test.toString()).stream().filter(line -> !line.isEmpty())
            .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> fish(List<String> words) throws Exception {
        return lines("fish", "--no-config", "-c", "source '" + script(Shell.FISH) + "'; complete -C '"
            + String.join(" ", words) + "'").stream().map(line -> line.split("\t")[0])
            .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void fishTakesAPromptThatIsCalledLikeACommandForAPrompt() throws Exception {
        assumeTrue(has("fish"), "fish is needed");
        assertEquals(Set.of("--precision", "--preview", "--preview-decoder"),
            fish(List.of("slipstream", "generate", "bench", "--pre")));
    }

    @Test
    void bashOffersFilesWhereThereAreFilesOnly() throws Exception {
        assumeTrue(has("bash"), "bash is needed");
        Path model = Files.createDirectory(folder.resolve("my-model"));
        assertEquals(Set.of(model.toString()),
            bash(List.of("slipstream", "generate", "--model", folder.resolve("my").toString())));
    }

    @Test
    void zshTakesTheScript() throws Exception {
        assumeTrue(has("zsh"), "zsh is needed");
        assertEquals(List.of("_complete_slipstream: function"), lines("zsh", "-f", "-c",
            "autoload -U compinit && compinit -u -D; source '" + script(Shell.ZSH)
                + "'; whence -w _complete_slipstream"));
    }

    @ParameterizedTest
    @EnumSource(Shell.class)
    void everyScriptKnowsEveryCommand(Shell shell) throws Exception {
        String script = Files.readString(script(shell));
        for (String command : List.of("generate", "plan", "steps", "init", "doctor", "schema", "--guidance-rescale",
            "--older-than")) {
            assertTrue(script.contains(command.replaceFirst("^--", shell == Shell.FISH ? "" : "--")), command);
        }
    }

    @Test
    void anotherShellIsRefused() {
        CommandRun run = CommandRun.of("completion", "tcsh");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals("slipstream: there are no completions for 'tcsh'; there are some for bash, zsh and fish\n",
            run.err());
    }
}
