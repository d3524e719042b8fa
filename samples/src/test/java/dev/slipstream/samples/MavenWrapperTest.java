package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which Maven mvnw runs, where the one that is installed is a script of ours. */
@Timeout(60)
class MavenWrapperTest {
    private static final Path WRAPPER = Path.of("..", "mvnw").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @BeforeEach
    void needsAShell() throws IOException {
        assumeTrue(File.separatorChar == '/', "mvnw is for POSIX shells");
        Files.createDirectories(folder.resolve("bin"));
    }

    private static void script(Path file, String lines) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + lines + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** @param gets what it does when it is to get another Maven */
    private void installed(String version, String gets) throws IOException {
        script(folder.resolve("bin/mvn"), """
            case "$*" in
              -v) echo 'Apache Maven %s' ;;
              *maven-dependency-plugin*) %s ;;
              *) echo "installed $*" ;;
            esac""".formatted(version, gets));
    }

    /** What it printed, errors too, a line each. */
    private List<String> run(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(WRAPPER.toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
        builder.environment().remove("MVNW_INSTALLED");
        Process process = builder.redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        return printed.lines().toList();
    }

    @Test
    void anInstalledMavenThatChecksWhatItDownloadsIsUsed() throws IOException, InterruptedException {
        for (String version : List.of("3.9.0", "3.10.1", "4.0.0-rc-4")) {
            installed(version, "exit 1");
            assertEquals(List.of("installed -q verify"), run("-q", "verify"));
        }
    }

    @Test
    void anOlderOneIsUsedWhereTheOwnCannotBeHad() throws IOException, InterruptedException {
        installed("3.8.7", "exit 1");
        assertEquals(List.of("mvnw: Maven 3.8.7 does not check what it downloads; getting 3.9.11, once",
            "mvnw: it cannot be had now; going on with Maven 3.8.7", "installed verify"), run("verify"));
    }

    @Test
    void withoutANetworkNoneIsSought() throws IOException, InterruptedException {
        installed("3.8.7", "echo sought");
        assertEquals(List.of("installed -o verify"), run("-o", "verify"));
        assertEquals(List.of("installed --offline verify"), run("--offline", "verify"));
    }

    @Test
    void whatAnOlderOneGotIsChecked() throws IOException, InterruptedException {
        installed("3.8.7", "echo wrong >apache-maven-3.9.11-bin.tar.gz");
        List<String> lines = run("verify");
        assertTrue(lines.getLast().startsWith("mvnw: apache-maven-3.9.11-bin.tar.gz is not what was expected"),
            lines::toString);
    }

    @Test
    void theOwnGoesBeforeAnInstalledOne() throws IOException, InterruptedException {
        installed("3.9.0", "exit 1");
        script(folder.resolve(".m2/wrapper/dists/slipstream/apache-maven-3.9.11/bin/mvn"), "echo \"own $*\"");
        assertEquals(List.of("own verify"), run("verify"));
    }
}
