package dev.slipstream.bridge.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The generated bindings are what jextract made, and what their list says. */
class BindingsTest {
    @Test
    void nobodyEditedTheBindings() throws IOException, InterruptedException {
        Path script = folder().resolve("generate.sh");
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash to run " + script);
        Process verify = new ProcessBuilder("/bin/bash", script.toString(), "--verify").redirectErrorStream(true)
            .start();
        String said = new String(verify.getInputStream().readAllBytes());
        assertEquals(0, verify.waitFor(), said);
    }

    private static Path folder() {
        Path start = Path.of("").toAbsolutePath();
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve("jextract/generate.sh"))) {
                return folder.resolve("jextract");
            }
        }
        throw new IllegalStateException("no folder jextract in or above " + start);
    }
}
