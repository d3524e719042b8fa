package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, in a checkout whose Java only says how it is called, and whose Maven is a script of ours. */
@Timeout(120)
class LauncherTest {
    private static final Path CHECKOUT = Path.of("..");
    private static final String BUILDING =
        "slipstream: building the command, once; libraries that are missing are downloaded, at most 110 MB\n";

    @TempDir
    private Path folder;
    private Path root;
    private Path jdk;

    private record Run(int code, String out, String err) {
    }

    @BeforeEach
    void write() throws IOException {
        assumeTrue(File.separatorChar == '/', "the launcher is for POSIX shells");
        root = Files.createDirectories(folder.resolve("a checkout, größer"));
        for (String name : List.of("slipstream", ".mvn/find-jdk", ".mvn/outdated", ".mvn/Build.java")) {
            Path copy = root.resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(CHECKOUT.resolve(name), copy);
        }
        jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        script(jdk.resolve("bin/javac"), "exit 1");
        // Real work, which is building, is for the real Java.
        script(jdk.resolve("bin/java"), """
            case $1 in *Build.java) exec '%s/bin/java' "$@" ;; esac
            echo "LC_ALL=${LC_ALL:-}"
            echo "arenas ${MALLOC_ARENA_MAX:-}, own pages from ${MALLOC_MMAP_THRESHOLD_:-}"
            printf '%%s\\n' "$@\"""".formatted(System.getProperty("java.home")));
        for (String module : List.of("jextract", "bridge", "pipelines", "samples")) {
            Files.createDirectories(root.resolve(module + "/src/main"));
        }
        Files.writeString(root.resolve("pom.xml"), "");
        Files.createDirectories(root.resolve("samples/target"));
        maven("echo \"$@\" >> ../built.log");
    }

    private static void script(Path file, String lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + lines + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void maven(String lines) throws IOException {
        script(root.resolve("mvnw"), lines);
    }

    private void built() throws IOException {
        Files.writeString(root.resolve("samples/target/built"), "");
        Files.setLastModifiedTime(root.resolve("samples/target/built"), FileTime.from(Instant.now().plusSeconds(60)));
    }

    private Process start(Map<String, String> environment, Path launcher, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().keySet().removeIf(name -> name.matches("(LC|JDK|MALLOC)_.*"));
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().put("LANG", "C.UTF-8");
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Run end(Process process) throws IOException, InterruptedException {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Run(process.exitValue(), out, err);
    }

    private Run run(Path launcher, String... arguments) throws IOException, InterruptedException {
        return end(start(Map.of(), launcher, arguments));
    }

    private List<String> builds() throws IOException {
        Path log = folder.resolve("built.log");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    @Test
    void argumentsGoThroughAsTheyAre() throws IOException, InterruptedException {
        built();
        Run run = run(root.resolve("slipstream"), "generate", "@a  \"b\" $c", "", "größe");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().endsWith("generate\n@a  \"b\" $c\n\ngröße\n"), run.out());
        assertTrue(run.out().contains("-jar\n" + root.resolve("samples/target/slipstream-samples.jar") + "\n"),
            run.out());
        assertEquals("", run.err());
    }

    @Test
    void itIsFoundThroughLinks() throws IOException, InterruptedException {
        built();
        Path bin = Files.createDirectories(folder.resolve("some bin/deep"));
        Path relative = Files.createSymbolicLink(bin.resolve("relative"),
            bin.relativize(root.resolve("slipstream")));
        Path second = Files.createSymbolicLink(folder.resolve("link to a link"), Path.of("some bin/deep/relative"));
        Path absolute = Files.createSymbolicLink(bin.resolve("absolute"), root.resolve("slipstream"));
        for (Path link : List.of(relative, second, absolute)) {
            Run run = run(link, "--version");
            assertEquals(0, run.code(), link + ": " + run.err());
            assertTrue(run.out().endsWith("--version\n"), run.out());
        }
    }

    @Test
    void withoutALocaleTheCharactersAreThoseOfUtf8() throws IOException, InterruptedException {
        built();
        for (String locale : List.of("C", "POSIX")) {
            assertTrue(end(start(Map.of("LANG", locale), root.resolve("slipstream"))).out()
                .startsWith("LC_ALL=C.UTF-8\n"));
            assertTrue(end(start(Map.of("LC_ALL", locale), root.resolve("slipstream"))).out()
                .startsWith("LC_ALL=C.UTF-8\n"));
        }
        assertTrue(run(root.resolve("slipstream")).out().startsWith("LC_ALL=\n"));
    }

    @Test
    void theHeapOfTheCLibraryIsSetUnlessTheUserHasSetIt() throws IOException, InterruptedException {
        built();
        assertTrue(run(root.resolve("slipstream")).out().contains("\narenas 1, own pages from 131072\n"));
        Map<String, String> own = Map.of("MALLOC_ARENA_MAX", "3", "MALLOC_MMAP_THRESHOLD_", "65536");
        assertTrue(end(start(own, root.resolve("slipstream"))).out().contains("\narenas 3, own pages from 65536\n"));
    }

    @Test
    void aUserWithoutAHomeMayRunIt() throws IOException, InterruptedException {
        built();
        Process process = new ProcessBuilder("env", "-i", "JAVA_HOME=" + jdk, "PATH=" + System.getenv("PATH"),
            root.resolve("slipstream").toString(), "plan").start();
        Run run = end(process);
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
    }

    /** In the command's place. */
    static final class Hello {
        public static void main(String[] args) {
            System.out.println("hello " + args[0]);
        }
    }

    private void jar() throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Hello.class.getName());
        String name = Hello.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream jar = new JarOutputStream(
            Files.newOutputStream(root.resolve("samples/target/slipstream-samples.jar")), manifest);
            InputStream bytes = Hello.class.getClassLoader().getResourceAsStream(name)) {
            jar.putNextEntry(new ZipEntry(name));
            bytes.transferTo(jar);
        }
    }

    @Test
    void aDamagedClassDataArchiveIsNeitherAFailureNorNoise() throws IOException, InterruptedException {
        jar();
        built();
        Map<String, String> real = Map.of("JAVA_HOME", System.getProperty("java.home"));
        Path archive = root.resolve("samples/target/slipstream.jsa");
        assertEquals(new Run(0, "hello generate\n", ""), end(start(real, root.resolve("slipstream"), "generate")));
        byte[] whole = Files.readAllBytes(archive);
        Random random = new Random(1);
        byte[] changed = whole.clone();
        for (int place = 8192; place < changed.length; place += 1 + random.nextInt(999)) {
            changed[place] ^= (byte) 0xff;
        }
        byte[] others = new byte[whole.length];
        random.nextBytes(others);
        for (byte[] damaged : List.of(changed, others, new byte[0], Arrays.copyOf(whole, whole.length / 2))) {
            Files.write(archive, damaged);
            for (String word : List.of("help", "generate")) {
                assertEquals(new Run(0, "hello " + word + "\n", ""),
                    end(start(real, root.resolve("slipstream"), word)));
            }
            assertTrue(Files.size(archive) > 0);
        }
    }

    @Test
    void measurementsRunWithTheHeapsOfAProgramOfOnesOwn() throws IOException, InterruptedException {
        built();
        Run run = run(root.resolve("slipstream"), "bench");
        assertTrue(run.out().contains("\narenas , own pages from \n"), run.out());
        assertFalse(run.out().contains("TieredStopAtLevel"), run.out());
    }

    @Test
    void theSumsOfAClassDataArchiveAreComparedOnceForEachThatIsWritten() throws IOException, InterruptedException {
        jar();
        built();
        Path archive = root.resolve("samples/target/slipstream.jsa");
        List<Boolean> compared = new ArrayList<>();
        for (int written = 0; written < 2; written++) {
            Files.writeString(archive, "as Java writes it " + written);
            for (int run = 0; run < 3; run++) {
                compared.add(run(root.resolve("slipstream"), "generate").out().contains("-XX:+VerifySharedSpaces\n"));
            }
        }
        assertEquals(List.of(true, false, false, true, false, false), compared);
    }

    /** Else the first call of all, often for the version, would leave the later ones without most classes. */
    @Test
    void theClassDataArchiveIsWrittenByWhatLoadsMuchAndReadByAll() throws IOException, InterruptedException {
        jar();
        built();
        Map<String, String> real = Map.of("JAVA_HOME", System.getProperty("java.home"));
        Path archive = root.resolve("samples/target/slipstream.jsa");
        for (String word : List.of("--version", "help", "schema", "plan")) {
            assertEquals(new Run(0, "hello " + word + "\n", ""), end(start(real, root.resolve("slipstream"), word)));
            assertFalse(Files.exists(archive), word);
        }
        end(start(real, root.resolve("slipstream"), "generate", "--help"));
        assertFalse(Files.exists(archive));
        end(start(real, root.resolve("slipstream"), "generate"));
        assertTrue(Files.size(archive) > 0);
        assertTrue(run(root.resolve("slipstream"), "--version").out()
            .contains("-XX:SharedArchiveFile=" + archive + "\n"));
    }

    @Test
    void aClassDataArchiveThatIsOlderThanTheClassesIsWrittenAnew() throws IOException, InterruptedException {
        jar();
        built();
        Map<String, String> real = Map.of("JAVA_HOME", System.getProperty("java.home"));
        Path archive = root.resolve("samples/target/slipstream.jsa");
        end(start(real, root.resolve("slipstream"), "generate"));
        Files.setLastModifiedTime(archive, FileTime.fromMillis(0));
        end(start(real, root.resolve("slipstream"), "generate"));
        assertTrue(Files.getLastModifiedTime(archive).toMillis() > 0);
    }

    /** Makes the checkout look like what the distribution unpacks. */
    private void distribution() throws IOException {
        jar();
        Files.createDirectories(root.resolve("lib"));
        Files.move(root.resolve("samples/target/slipstream-samples.jar"), root.resolve("slipstream-samples.jar"));
        Files.move(root.resolve(".mvn/find-jdk"), root.resolve("lib/find-jdk"));
        Files.writeString(root.resolve("lib/slipstream-bridge-1.jar"), "classes");
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.sorted().toList();
        }
    }

    @Test
    void aDistributionIsNeverBuiltNorWrittenTo() throws IOException, InterruptedException {
        distribution();
        List<Path> before = files(root);
        Path cache = folder.resolve("cache");
        Map<String, String> real = Map.of("JAVA_HOME", System.getProperty("java.home"), "XDG_CACHE_HOME",
            cache.toString());
        for (int start = 0; start < 2; start++) {
            assertEquals(new Run(0, "hello generate\n", ""), end(start(real, root.resolve("slipstream"), "generate")));
        }
        assertEquals(before, files(root));
        assertEquals(List.of(), builds());
        List<Path> archives = archives(cache);
        assertEquals(1, archives.size());
        Files.writeString(root.resolve("lib/slipstream-bridge-1.jar"), "classes of another build");
        end(start(real, root.resolve("slipstream"), "generate"));
        assertEquals(1, archives(cache).size());
        assertFalse(archives(cache).equals(archives), "the archive of another build is used");
    }

    private static List<Path> archives(Path cache) throws IOException {
        return files(cache).stream().filter(file -> file.toString().endsWith(".jsa")).toList();
    }

    @Test
    void aDistributionNeedsNoCompilerAndNoHome() throws IOException, InterruptedException {
        distribution();
        Files.delete(jdk.resolve("bin/javac"));
        Process process = new ProcessBuilder("env", "-i", "JAVA_HOME=" + jdk, "PATH=" + System.getenv("PATH"),
            "XDG_CACHE_HOME=/dev/null", root.resolve("slipstream").toString(), "plan").start();
        Run run = end(process);
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        assertFalse(run.out().contains("SharedArchiveFile"), run.out());
    }

    @Test
    @Tag("slow")
    void itIsBuiltOnceAndAgainWhenASourceIsNewer() throws IOException, InterruptedException {
        Run first = run(root.resolve("slipstream"), "plan");
        assertEquals(BUILDING, first.err());
        assertTrue(first.out().endsWith("plan\n"));
        assertEquals("", run(root.resolve("slipstream"), "plan").err());
        assertEquals(List.of("-q -B -Dcommand.only package"), builds());
        Path source = Files.writeString(root.resolve("bridge/src/main/New.java"), "");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(60)));
        assertEquals(BUILDING, run(root.resolve("slipstream"), "plan").err());
    }

    /** Until a process waits for the lock on a file, as the kernel's list of locks has it. */
    private static void awaitWaiter(Path file) throws IOException, InterruptedException {
        Path locks = Path.of("/proc/locks");
        assumeTrue(Files.isReadable(locks), "there is no list of locks");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!Files.exists(file) || Files.readAllLines(locks).stream().noneMatch(isWaiterFor(file))) {
            assertTrue(System.nanoTime() < end, "nobody waits for " + file);
            Thread.sleep(20);
        }
    }

    private static Predicate<String> isWaiterFor(Path file) throws IOException {
        Object inode = Files.getAttribute(file, "unix:ino");
        return line -> line.contains("->") && line.contains(":" + inode + " ");
    }

    @Test
    @Tag("slow")
    void ofTwoThatStartAtOnceOneBuilds() throws IOException, InterruptedException {
        Path fifo = folder.resolve("go");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        maven("echo \"$@\" >> ../built.log; cat ../go");
        Process first = start(Map.of(), root.resolve("slipstream"), "first");
        Process second = start(Map.of(), root.resolve("slipstream"), "second");
        awaitWaiter(root.resolve(".mvn/building"));
        // Opens when one of them builds.
        Files.writeString(fifo, "go");
        assertTrue(end(first).out().endsWith("first\n"));
        assertTrue(end(second).out().endsWith("second\n"));
        assertEquals(1, builds().size());
    }

    @Test
    @Tag("slow")
    void aBuildThatFailsSaysWhyAndTheNextOneBeginsAnew() throws IOException, InterruptedException {
        maven("echo 'no compiler'; exit 3");
        Run run = run(root.resolve("slipstream"), "plan");
        assertEquals(1, run.code());
        assertTrue(run.err().contains("no compiler") && run.err().contains("the build failed"), run.err());
        maven("echo \"$@\" >> ../built.log");
        assertEquals(0, run(root.resolve("slipstream"), "plan").code());
        assertEquals(List.of("-q -B -Dcommand.only clean package"), builds());
    }

    @Test
    @Tag("slow")
    void whoEndsTheLauncherEndsItsMavenAndTheNextBuildBeginsAnew() throws IOException, InterruptedException {
        Path fifo = folder.resolve("go");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        maven("echo $$ > ../go; exec sleep 600");
        Process process = start(Map.of(), root.resolve("slipstream"), "plan");
        long maven = Long.parseLong(Files.readString(fifo).strip());
        process.toHandle().destroy();
        Run run = end(process);
        assertEquals(143, run.code(), run.err());
        assertEquals(BUILDING, run.err());
        assertTrue(ProcessHandle.of(maven).filter(ProcessHandle::isAlive).isEmpty(), "Maven is left running");
        maven("echo \"$@\" >> ../built.log");
        assertEquals(0, run(root.resolve("slipstream"), "plan").code());
        assertEquals(List.of("-q -B -Dcommand.only clean package"), builds());
    }
}
