package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Adapter;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Circumstances;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.codec.GifFile;
import dev.slipstream.pipelines.diffusion.image.codec.PngFile;
import dev.slipstream.pipelines.diffusion.image.codec.Raster;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.plan.Plan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A video and how it came about. Immutable; any thread may use it. */
public final class GeneratedVideo {
    private final List<Image> frames;
    private final VideoRequest request;
    private final Circumstances all;

    /** @param request with seed, frames and frame rate */
    GeneratedVideo(List<Image> frames, VideoRequest request, Circumstances all) {
        this.frames = List.copyOf(frames);
        this.request = request;
        this.all = all;
    }

    /** The pictures, in their order; all have one size. */
    public List<Image> frames() {
        return frames;
    }

    /** At which they are shown. */
    public int framesPerSecond() {
        return request.framesPerSecond().orElseThrow();
    }

    /** Makes the same video, up to rounding. */
    public VideoRequest request() {
        return request;
    }

    /** The seed of this video. */
    public long seed() {
        return request.seed().orElseThrow();
    }

    /** Name of the model. */
    public String model() {
        return all.model();
    }

    /** The LoRAs that were merged into it. */
    public List<Adapter> adapters() {
        return all.adapters();
    }

    /** Name of the noise scheduler that was used. */
    public String scheduler() {
        return all.scheduler();
    }

    /** In which the denoiser computed. */
    public DataType precision() {
        return all.precision();
    }

    public Plan plan() {
        return all.plan();
    }

    /** Names of the devices, in the plan's order. */
    public List<String> devices() {
        return all.devices();
    }

    /** Steps that were taken. */
    public int steps() {
        return all.steps();
    }

    /** The steps at which stages rested as the loop decided; see {@link GeneratedImage#rested}. */
    public Map<String, List<Integer>> rested() {
        return all.rested();
    }

    /** The steps that lay in the asynchronous window as the loop decided; see {@link GeneratedImage#window}. */
    public List<Integer> window() {
        return all.window();
    }

    /** What the pipeline's cache of latents had to do with it. */
    public CacheReport cache() {
        return all.cache();
    }

    /** Bytes that went from one device to another. */
    public long copiedBytes() {
        return all.copiedBytes();
    }

    /** Time for making engines and loop ready: next to nothing where an earlier request left them. */
    public Duration buildTime() {
        return all.build();
    }

    /** Time for what reads text and picture. */
    public Duration textTime() {
        return all.text();
    }

    /** Time for the denoising steps. */
    public Duration loopTime() {
        return all.loop();
    }

    /** Time for decoding all frames. */
    public Duration decodeTime() {
        return all.decode();
    }

    /** What made the video, by keyword, as {@link #writeFrames} puts it into files; see {@link GeneratedImage}. */
    public Map<String, String> metadata() {
        Map<String, String> own = new LinkedHashMap<>();
        own.put("Frames", Integer.toString(frames.size()));
        own.put("FPS", Integer.toString(framesPerSecond()));
        request.motionBucket().ifPresent(number -> own.put("Motion bucket", Integer.toString(number)));
        request.noiseAugmentation().ifPresent(share -> own.put("Noise augmentation", Double.toString(share)));
        request.firstGuidance().ifPresent(weight -> own.put("First CFG scale", Double.toString(weight)));
        request.decodeChunk().ifPresent(count -> own.put("Decode chunk", Integer.toString(count)));
        return all.metadata(request.drawing().core(), frames.getFirst().toString(), own);
    }

    /**
     * Writes the video, whole or not at all, in the format that the file's name ends with: as an animated PNG, which
     * has what made it in it, or as an animated GIF, which has 256 colours a frame. What was there is replaced.
     *
     * @throws IllegalArgumentException if the name has another ending
     * @throws RequestException for GIF where the JDK's module {@code java.desktop} is absent
     * @throws UncheckedIOException which says why the file cannot be written
     */
    public void write(Path file) {
        byte[] bytes = encode(file.toString().toLowerCase(Locale.ROOT));
        try {
            AtomicFile.write(file, channel -> {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private byte[] encode(String name) {
        List<Raster> rasters = frames.stream().map(it -> new Raster(it.width(), it.height(), it.rgb())).toList();
        if (name.endsWith(".png")) {
            return PngFile.animated(rasters, framesPerSecond(), metadata());
        }
        if (!name.endsWith(".gif")) {
            throw new IllegalArgumentException("a video is written as .png or .gif, not as " + name + "; its frames go "
                + "into a folder");
        }
        try {
            return GifFile.encode(rasters, framesPerSecond());
        } catch (NoClassDefFoundError absent) {
            throw new RequestException("GIF files take the JDK's module java.desktop, which is not here; start Java "
                + "with --add-modules java.desktop, or take PNG", absent);
        }
    }

    /**
     * Writes every frame as a PNG file, {@code 0001.png} and so on, with what made the video in each.
     *
     * @param folder is made if it is not there; files of these names are replaced
     * @throws java.io.UncheckedIOException which says why a file cannot be written
     */
    public void writeFrames(Path folder) {
        Map<String, String> texts = metadata();
        for (int index = 0; index < frames.size(); index++) {
            frames.get(index).write(folder.resolve("%04d.png".formatted(index + 1)), texts);
        }
    }
}
