package dev.slipstream.bridge.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** In processes of their own, as a process has one user. */
@Timeout(120)
class UserCacheTest {
    @TempDir
    private Path folder;

    static final class Said {
        public static void main(String[] args) {
            System.out.print(UserCache.folder());
        }
    }

    private Path folder(String home, Path temporary) throws IOException, InterruptedException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "homes are elsewhere");
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"),
            Said.class.getName()).directory(folder.toFile());
        builder.environment().remove("XDG_CACHE_HOME");
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor());
        return Path.of(said);
    }

    @Test
    void aUserWithAHomeHasItThere() throws IOException, InterruptedException {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        assertEquals(folder.resolve("new/home/.cache/slipstream"), folder(folder.resolve("new/home") + "", temporary));
        assertEquals(0, temporary.toFile().list().length);
    }

    @Test
    void aUserWithoutAHomeHasOneFolderThatIsHisAlone() throws IOException, InterruptedException {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Path first = folder("?", temporary);
        assertEquals(temporary, first.getParent());
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(first)));
        assertEquals(first, folder("?", temporary));
        assertEquals(first, folder(Files.createFile(folder.resolve("file")).toString(), temporary));
        assertFalse(Files.exists(folder.resolve("?")));
        assertEquals(1, temporary.toFile().list().length);
    }

    @Test
    void aFolderThatOthersMayEnterIsNotTaken() throws IOException, InterruptedException {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Path first = folder("?", temporary);
        Files.setPosixFilePermissions(first, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path second = folder("?", temporary);
        assertNotEquals(first, second);
        assertTrue(Files.isDirectory(second));
    }
}
