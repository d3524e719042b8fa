package dev.slipstream.pipelines.model.folder;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;

/**
 * A motion adapter (AnimateDiff), with which a denoiser for pictures makes videos. What it lies in is closed with the
 * model.
 *
 * @param path a folder with {@code config.json} and safetensors, or a file
 * @param file that has it; nothing where it is a folder
 */
public record MotionAdapter(Path path, Elsewhere file) implements AutoCloseable {
    /** One in a folder. */
    static MotionAdapter in(Path folder) {
        return new MotionAdapter(folder, Elsewhere.NOTHING);
    }

    private boolean isFile() {
        return file.has(Component.MOTION_ADAPTER);
    }

    public ConfigFile config() {
        return isFile() ? file.config(Component.MOTION_ADAPTER).orElseThrow()
            : ConfigFile.read(ComponentFile.CONFIG.in(path));
    }

    Checkpoint checkpoint() {
        return isFile() ? file.checkpoint(Component.MOTION_ADAPTER) : Checkpoint.open(path);
    }

    /** The noise scheduler that adapters are taught with, DDIM with linear betas. @param base of the denoiser's */
    ConfigFile noiseScheduler(ConfigFile base) {
        JsonObject taught = base.root().deepCopy();
        taught.addProperty("_class_name", "DDIMScheduler");
        taught.addProperty("beta_schedule", "linear");
        taught.addProperty("clip_sample", false);
        taught.addProperty("timestep_spacing", "linspace");
        taught.addProperty("steps_offset", 1);
        return new ConfigFile(base.path(), taught);
    }

    @Override
    public void close() {
        file.close();
    }
}
