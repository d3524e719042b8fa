package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A program that uses ONNX Runtime in a JVM of its own, with a home and a temporary folder of its own, and without the
 * variables that keep telemetry off or name a cache.
 *
 * @param home what it finds and leaves: {@code home} and {@code tmp}
 */
record FreshJava(Path home) {
    /** How it ended. */
    record Result(int code, String out, String err) {
    }

    /** What the program does, one after another. */
    enum Part {
        OPEN_DEVICE {
            @Override
            void run() {
                try (Device device = Devices.discover().open(DeviceSpec.parse("cpu"))) {
                    System.out.println(device.description());
                }
            }
        },
        MAKE_ENVIRONMENT {
            @Override
            void run() {
                System.out.println(OrtEnvironment.getEnvironment());
            }
        },
        OPEN_DEVICES_IN_TWO_CLASS_LOADERS {
            @Override
            void run() throws ReflectiveOperationException, IOException {
                for (int i = 0; i < 2; i++) {
                    ClassLoader parent = ClassLoader.getPlatformClassLoader();
                    try (URLClassLoader loader = new URLClassLoader(classPath(), parent)) {
                        Thread.currentThread().setContextClassLoader(loader);
                        Method main = loader.loadClass(FreshJava.class.getName()).getMethod("main", String[].class);
                        main.setAccessible(true);
                        main.invoke(null, (Object) new String[] {OPEN_DEVICE.name()});
                    }
                }
            }
        },
        WAIT {
            @Override
            void run() throws IOException {
                System.out.println("ready");
                System.in.read();
            }
        };

        abstract void run() throws Exception;
    }

    public static void main(String[] parts) throws Exception {
        for (String part : parts) {
            if (!part.startsWith("-")) {
                Part.valueOf(part).run();
            }
        }
    }

    private static URL[] classPath() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }

    Path temporary() {
        return home.resolve("tmp");
    }

    Path cache() {
        return home.resolve(".cache").resolve("slipstream");
    }

    /** The command line that starts it, without what a test puts before and after. */
    List<String> command() {
        return List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
            "-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary(), "-cp", System.getProperty("java.class.path"),
            FreshJava.class.getName());
    }

    Process start(Map<String, String> variables, List<String> before, List<String> after) throws IOException {
        Files.createDirectories(temporary());
        List<String> command = Stream.of(before, command(), after).flatMap(List::stream).toList();
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(home.resolve("err").toFile());
        builder.environment().clear();
        builder.environment().putAll(Map.of("HOME", home.toString(), "TMPDIR", temporary().toString(), "PATH",
            "/usr/bin:/bin:/usr/sbin:/sbin"));
        builder.environment().putAll(variables);
        return builder.start();
    }

    Result run(Map<String, String> variables, List<String> before, List<String> after)
        throws IOException, InterruptedException {
        Process process = start(variables, before, after);
        String out = new String(process.getInputStream().readAllBytes());
        int code = process.waitFor();
        String err = Files.readString(home.resolve("err"));
        Files.delete(home.resolve("err"));
        return new Result(code, out, err);
    }

    Result run(Part... parts) throws IOException, InterruptedException {
        return run(Map.of(), List.of(), Stream.of(parts).map(Enum::name).toList());
    }

    /** What lies in its home, without folders that hold something. */
    List<String> left() throws IOException {
        try (Stream<Path> all = Files.walk(home)) {
            return all.filter(path -> !Files.isDirectory(path) || isEmpty(path))
                .map(path -> home.relativize(path).toString()).sorted().toList();
        }
    }

    private static boolean isEmpty(Path folder) {
        return folder.toFile().list().length == 0;
    }
}
