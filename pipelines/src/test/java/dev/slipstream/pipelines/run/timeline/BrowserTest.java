package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Drawings in a browser, where one of the Chromium family is on the path. */
@Tag("slow")
@Timeout(120)
class BrowserTest {
    private static final int WIDTH = 1160;
    private static final int HEIGHT = 500;
    private static final int BLUE_OF_LIGHT = 0x8fb8de;
    private static final int BLUE_OF_DARK = 0x3f6f9c;

    @TempDir
    private Path folder;

    private static Optional<Path> browser() {
        return Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
            .flatMap(name -> Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator))
                .map(path -> Path.of(path, name)))
            .filter(Files::isExecutable).findFirst();
    }

    private BufferedImage seen(String name, String... more) throws IOException, InterruptedException {
        Path drawing = Files.writeString(folder.resolve(name + ".svg"), TimelineFormat.SVG.text(Runs.documented()));
        Path page = Files.writeString(folder.resolve(name + ".html"),
            "<body style='margin:0'><img width=" + WIDTH + " src='" + drawing.getFileName() + "'></body>");
        Path picture = folder.resolve(name + ".png");
        List<String> command = new ArrayList<>(List.of(browser().orElseThrow().toString(), "--headless=new",
            "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=" + WIDTH + "," + HEIGHT,
            "--user-data-dir=" + folder.resolve("profile"), "--screenshot=" + picture));
        command.addAll(List.of(more));
        command.add(page.toUri().toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile()).start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the browser does not end");
        } finally {
            process.destroyForcibly();
        }
        assertTrue(Files.exists(picture), () -> "no picture: " + command);
        return ImageIO.read(picture.toFile());
    }

    private static long pixels(BufferedImage image, int colour) {
        long count = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                count += (image.getRGB(x, y) & 0xffffff) == colour ? 1 : 0;
            }
        }
        return count;
    }

    @Test
    void aDrawingIsLightOrDarkAsTheViewerLikes() throws IOException, InterruptedException {
        assumeTrue(browser().isPresent(), "no browser on the path");

        BufferedImage light = seen("light");
        BufferedImage dark = seen("dark", "--blink-settings=preferredColorScheme=0");

        assertEquals(0xffffff, light.getRGB(3, 3) & 0xffffff);
        assertEquals(0x15181c, dark.getRGB(3, 3) & 0xffffff);
        // Three boxes of the sequential run alone have 40 by 34 pixels and more.
        assertTrue(pixels(light, BLUE_OF_LIGHT) > 3000, () -> pixels(light, BLUE_OF_LIGHT) + " blue pixels");
        assertTrue(pixels(dark, BLUE_OF_DARK) > 3000, () -> pixels(dark, BLUE_OF_DARK) + " blue pixels");
    }
}
