package dev.slipstream.samples.generate;

import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.GeneratedVideo;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import dev.slipstream.pipelines.diffusion.image.ImageFormat;
import dev.slipstream.samples.options.ResultFiles;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * The picture files of one call, known to be writable before anything is drawn; the ending of the name says in which
 * format. Small pictures are written larger than they were drawn, so that one can see them: each pixel becomes a square
 * of pixels.
 */
final class OutputFiles {
    private static final int MOST = 10_000;
    private static final int VISIBLE_PIXELS = 256;

    private final List<Path> files;
    private final OptionalInt factor;
    private final Optional<OutputStream> standard;

    private OutputFiles(List<Path> files, OptionalInt factor, Optional<OutputStream> standard) {
        this.files = List.copyOf(files);
        this.factor = factor;
        this.standard = standard;
    }

    /**
     * Names the files: the one given, or with a number before its ending where there are several.
     *
     * @param file {@code -} for the standard output
     * @param enlarge how many times larger than drawn; null for what makes small pictures visible
     * @param standard the standard output
     * @throws InputException if one of them cannot be written
     */
    static OutputFiles of(Path file, int count, Integer enlarge, Supplier<OutputStream> standard) {
        if (count < 1) {
            throw new InputException("--count takes 1 or more pictures, not " + count + "; leave it out for one");
        }
        if (count > MOST) {
            throw new InputException("--count takes at most " + MOST + " pictures, not " + count + "; call it again "
                + "for more");
        }
        if (enlarge != null && enlarge < 1) {
            throw new InputException("--enlarge takes a whole number from 1 up, not " + enlarge
                + "; 1 leaves the picture as it is");
        }
        OptionalInt factor = enlarge == null ? OptionalInt.empty() : OptionalInt.of(enlarge);
        if (isStandard(file)) {
            if (count > 1) {
                throw new InputException("the standard output takes one picture, not " + count + "; name a file with "
                    + "--output for more");
            }
            return new OutputFiles(List.of(file), factor, Optional.of(standard.get()));
        }
        requireFormat(file);
        List<Path> files = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            files.add(count == 1 ? file : named(file, "-" + number));
        }
        ResultFiles.checkWritable("--output", files);
        return new OutputFiles(files, factor, Optional.empty());
    }

    /** Also whether this Java writes it, which a small picture tells. */
    private static void requireFormat(Path file) {
        try {
            Image.of(1, 1, new byte[3]).encode(ImageFormat.ofName(file.toString()));
        } catch (IllegalArgumentException unknown) {
            throw new InputException(unknown.getMessage() + "; choose another --output", unknown);
        }
    }

    /** Whether it means the standard output. */
    static boolean isStandard(Path file) {
        return file.toString().equals("-");
    }

    /** @param read files that the pictures are made from. @throws InputException if one of them would be overwritten */
    void refuseOverwriting(Collection<Path> read) {
        for (int index = 0; index < files.size() && standard.isEmpty(); index++) {
            ResultFiles.refuseOverwriting("--output", files.get(index), read);
            ResultFiles.refuseOverwriting("--output", preview(index), read);
        }
    }

    /** @throws InputException if pictures of the request would become too large to be written */
    void checkSize(ImageRequest completed) {
        long width = completed.width().orElseThrow();
        long height = completed.height().orElseThrow();
        long by = factor(width, height);
        if (by * by > Image.MOST_PIXELS / (width * height)) {
            throw new InputException(width + "x" + height + " pixels" + (by > 1 ? " enlarged by " + by : "")
                + " are more than " + Image.MOST_PIXELS / 1_000_000 + " million; use a smaller "
                + (factor.isPresent() && by > 1 ? "--enlarge" : "--size"));
        }
    }

    int count() {
        return files.size();
    }

    /** Writes a finished picture. @param index of the picture, from 0 */
    WrittenPicture write(int index, GeneratedImage picture) {
        Image image = picture.image();
        if (standard.isPresent()) {
            write(enlarged(image).encode(ImageFormat.PNG, picture.metadata()), standard.get());
        } else {
            enlarged(image).write(files.get(index), picture.metadata());
        }
        return new WrittenPicture(files.get(index), picture.request().prompt(), picture.seed(), image.width(),
            image.height(), factor(image.width(), image.height()), picture.buildTime(), picture.textTime(),
            picture.steps(), picture.loopTime(), picture.decodeTime(), picture.cache());
    }

    private static void write(byte[] png, OutputStream standard) {
        try {
            standard.write(png);
            standard.flush();
        } catch (IOException unwritable) {
            throw new UncheckedIOException("the picture cannot be written to the standard output, as its disk is full "
                + "or its reader gone; name a file with --output", unwritable);
        }
    }

    /** Writes an unfinished picture beside the place of the finished one. */
    void writePreview(int index, Image unfinished) {
        enlarged(unfinished).write(preview(index));
    }

    private Path preview(int index) {
        return named(files.get(index), ".preview");
    }

    /** @param more between the name and its ending */
    private static Path named(Path file, String more) {
        String name = file.getFileName().toString();
        int ending = name.lastIndexOf('.');
        return file.resolveSibling(name.substring(0, ending) + more + name.substring(ending));
    }

    private Image enlarged(Image image) {
        return image.enlarged(factor(image.width(), image.height()));
    }

    private int factor(long width, long height) {
        return factor.orElseGet(() -> Math.toIntExact(Math.ceilDiv(VISIBLE_PIXELS, Math.max(width, height))));
    }

    /**
     * What is known of a picture whose file is written. Its pixels are not kept, as a call may draw thousands.
     *
     * @param width pixels as drawn; likewise {@code height}
     * @param enlarged the factor by which the file has more
     * @param build time of a batch, which is drawn together; likewise {@code text}, {@code loop} and {@code decode}
     */
    record WrittenPicture(Path file, String prompt, long seed, int width, int height, int enlarged, Duration build,
        Duration text, int steps, Duration loop, Duration decode, CacheReport cache) {
    }

    /**
     * Where the videos of one call go: files with the ending .gif or .png, which are animated, or folders with a
     * picture for each frame. All are known to be writable before anything is made.
     */
    record VideoFiles(List<Path> files) {
        private static final String OTHER_VIDEOS = "\\.(mp4|webm|mov|avi|mkv)";

        /** Names them: the one given, or with a number behind its name where there are several. */
        static VideoFiles of(Path output, int count, Collection<Path> read) {
            if (OutputFiles.isStandard(output)) {
                throw new InputException("a video does not go to the standard output; name a file or a folder with "
                    + "--output");
            }
            if (ending(output).matches(OTHER_VIDEOS + "|\\.(jpe?g|webp)")) {
                throw new InputException("a video is written as .gif, as .png, or as a folder of pictures, not as "
                    + output + "; choose another --output");
            }
            List<Path> files = new ArrayList<>();
            for (int number = 1; number <= count; number++) {
                files.add(count == 1 ? output : output.resolveSibling(stem(output) + "-" + number + ending(output)));
            }
            VideoFiles all = new VideoFiles(files);
            all.files.forEach(file -> {
                if (all.isFolder(file)) {
                    makeFolder(file);
                } else {
                    ResultFiles.checkWritable("--output", List.of(file));
                    ResultFiles.refuseOverwriting("--output", file, read);
                }
            });
            return all;
        }

        /** Whether only a video can be meant. */
        static boolean areMeant(Path output) {
            return ending(output).matches(OTHER_VIDEOS + "|\\.gif") || Files.isDirectory(output)
                || ending(output).isEmpty() && !OutputFiles.isStandard(output);
        }

        private static void makeFolder(Path folder) {
            try {
                Files.createDirectories(folder);
            } catch (IOException unwritable) {
                throw new InputException("cannot make the folder " + folder + " for the frames; choose another "
                    + "--output", unwritable);
            }
        }

        private boolean isFolder(Path file) {
            return !ending(file).equals(".gif") && !ending(file).equals(".png");
        }

        private static String stem(Path file) {
            String name = file.getFileName().toString();
            return name.substring(0, name.length() - ending(file).length());
        }

        /** With its point, in small letters; empty if there is none. */
        private static String ending(Path file) {
            String name = file.getFileName() == null ? "" : file.getFileName().toString();
            int point = name.lastIndexOf('.');
            return point < 1 ? "" : name.substring(point).toLowerCase(Locale.ROOT);
        }

        /** Writes a finished video. @param index of it, from 0 */
        WrittenPicture write(int index, GeneratedVideo video) {
            Path file = files.get(index);
            if (isFolder(file)) {
                video.writeFrames(file);
            } else {
                video.write(file);
            }
            Image first = video.frames().getFirst();
            return new WrittenPicture(file, video.request().prompt(), video.seed(), first.width(), first.height(), 1,
                video.buildTime(), video.textTime(), video.steps(), video.loopTime(), video.decodeTime(),
                video.cache());
        }

        /** Writes the first frame of an unfinished video beside the place of the finished one. */
        void writePreview(int index, Image unfinished) {
            unfinished.write(files.get(index).resolveSibling(stem(files.get(index)) + ".preview.png"));
        }
    }
}
