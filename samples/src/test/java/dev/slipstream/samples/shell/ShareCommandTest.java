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
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShareCommandTest {
    @TempDir
    private Path folder;

    private Path share() {
        Path share = folder.resolve("a new/share");
        CommandRun run = CommandRun.of("share", share.toString());
        assertEquals(ExitCode.OK, run.code(), run.err());
        return share;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void everyCommandHasAPageAndEveryShellItsCompletions() throws IOException {
        Path share = share();
        assertEquals(List.of("slipstream-bench-graphs.1", "slipstream-bench-steps.1", "slipstream-bench.1",
            "slipstream-cache-calibrate.1", "slipstream-cache-clear.1", "slipstream-cache-list.1",
            "slipstream-cache-stats.1", "slipstream-cache-verify.1", "slipstream-cache.1",
            "slipstream-calibrate.1", "slipstream-completion.1", "slipstream-doctor.1", "slipstream-engines-build.1",
            "slipstream-engines-clear.1", "slipstream-engines-list.1", "slipstream-engines.1",
            "slipstream-generate.1", "slipstream-help.1", "slipstream-model-convert.1", "slipstream-model-cuts.1",
            "slipstream-model-init.1",
            "slipstream-model-pull.1", "slipstream-model-show.1", "slipstream-model.1",
            "slipstream-plan.1", "slipstream-predict.1", "slipstream-profile.1",
            "slipstream-run.1", "slipstream-schema.1", "slipstream-share.1", "slipstream-verify.1", "slipstream.1"),
            names(share.resolve("man/man1")));
        for (String file : List.of("bash-completion/completions/slipstream", "zsh/site-functions/_slipstream",
            "fish/vendor_completions.d/slipstream.fish")) {
            assertTrue(Files.size(share.resolve(file)) > 1000, file);
        }
    }

    @Test
    void aPageHasWhatTheHelpHas() throws IOException {
        String page = Files.readString(share().resolve("man/man1/slipstream-generate.1"));
        for (String part : List.of(".TH SLIPSTREAM\\-GENERATE 1", ".SH NAME\nslipstream\\-generate \\- draws a picture",
            ".SH SYNOPSIS\nslipstream generate [OPTIONS] PROMPT", ".SS The picture",
            ".B \\-\\-steps N\nDenoising steps, if not as many as is usual",
            ".SH ENVIRONMENT", ".B SLIPSTREAM_GUIDANCE_RESCALE", ".SH FILES", "[generate]", ".SH EXIT STATUS",
            ".SH EXAMPLES", ".nf\n  slipstream generate \"a large red star", ".SH SEE ALSO\nslipstream(1)")) {
            assertTrue(page.contains(part), part + " is missing in " + page);
        }
    }

    @Test
    void pagesAreTheSameEachTimeAndSayNothingOfThisMachine() throws IOException {
        Path first = share();
        CommandRun.of("share", folder.resolve("again").toString());
        for (String name : names(first.resolve("man/man1"))) {
            String page = Files.readString(first.resolve("man/man1").resolve(name));
            assertEquals(page, Files.readString(folder.resolve("again/man/man1").resolve(name)));
            assertTrue(!page.contains(System.getProperty("user.home")) && !page.contains(folder.toString()), name);
        }
    }

    @Test
    void groffTakesThePagesWithoutAWarning() throws Exception {
        assumeTrue(Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "groff"))), "groff is needed");
        Path pages = share().resolve("man/man1");
        for (String name : names(pages)) {
            // "break" is that a long word fills no line.
            Process process = new ProcessBuilder("groff", "-man", "-Tutf8", "-wall", "-Wbreak",
                pages.resolve(name).toString()).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            String warnings = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor());
            assertEquals("", warnings, name);
        }
    }
}
