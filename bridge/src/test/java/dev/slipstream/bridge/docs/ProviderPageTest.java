package dev.slipstream.bridge.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The provider of {@code docs/provider.md}, built as the page says, keeps the contract on the module path. */
@Tag("slow")
class ProviderPageTest {
    private static final Path DOCS = Path.of("..", "docs", "provider");
    private static final String TOY = "org.example.toy";
    private static final Set<String> MODULES = Set.of("slipstream-", "onnxruntime-", "slf4j-api-");

    /** Runs the contract in a Java of its own: all tests of a class. */
    public static final class Contract {
        private Contract() {
        }

        /** @param classes the test class */
        public static void main(String... classes) {
            SummaryGeneratingListener summary = new SummaryGeneratingListener();
            LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(classes[0])).build(), summary);
            summary.getSummary().printFailuresTo(new PrintWriter(System.out, true));
            System.out.println(summary.getSummary().getTestsSucceededCount());
            System.exit(summary.getSummary().getTotalFailureCount() == 0 ? 0 : 1);
        }
    }

    @Test
    void theProviderOfThePageKeepsTheContractOnTheModulePath(@TempDir Path folder)
        throws IOException, InterruptedException {
        List<String> modules = new ArrayList<>();
        List<String> tests = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(Pattern.quote(File.pathSeparator))) {
            (isModule(Path.of(entry)) ? modules : tests).add(entry);
        }
        assumeTrue(modules.stream().anyMatch(entry -> Files.exists(Path.of(entry, "module-info.class"))
            || entry.endsWith(".jar") && entry.contains("slipstream-bridge")), "compiled without module-info");
        String libraries = String.join(File.pathSeparator, modules);
        String others = String.join(File.pathSeparator, tests);
        Path toy = folder.resolve(TOY);
        Path test = folder.resolve("test");
        compile(DOCS.resolve(TOY), "-d", toy.toString(), "--module-path", libraries);
        String path = libraries + File.pathSeparator + toy;
        compile(DOCS.resolve("test"), "-d", test.toString(), "--module-path", path, "--add-modules", TOY, "-cp", others,
            "--patch-module", TOY + "=" + DOCS.resolve("test"), "--add-reads", TOY + "=ALL-UNNAMED");
        Path out = folder.resolve("out");
        Process contract = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--module-path", path, "--add-modules", TOY, "--patch-module", TOY + "=" + test,
            "--add-reads", TOY + "=ALL-UNNAMED", "--add-opens", TOY + "/" + TOY + "=ALL-UNNAMED",
            "--enable-native-access=com.microsoft.onnxruntime", "-cp", others, Contract.class.getName(),
            TOY + ".ToyContractTest").redirectErrorStream(true).redirectOutput(out.toFile()).start();
        int code = contract.waitFor();
        List<String> lines = Files.readAllLines(out);
        assertEquals(0, code, () -> String.join("\n", lines));
        assertTrue(Integer.parseInt(lines.getLast()) > 140, () -> "tests that succeeded: " + lines.getLast());
    }

    private static boolean isModule(Path entry) {
        return Files.exists(entry.resolve("module-info.class"))
            || MODULES.stream().anyMatch(name -> entry.getFileName().toString().startsWith(name))
                && !entry.toString().endsWith("-tests.jar");
    }

    private static void compile(Path sources, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--release", "22", "-nowarn", "-proc:none"));
        try (Stream<Path> files = Files.walk(sources)) {
            files.filter(file -> file.toString().endsWith(".java")).map(Path::toString).forEach(arguments::add);
        }
        StringWriter told = new StringWriter();
        PrintWriter printer = new PrintWriter(told);
        int code = ToolProvider.findFirst("javac").orElseThrow()
            .run(printer, printer, arguments.toArray(String[]::new));
        assertEquals(0, code, told::toString);
    }
}
