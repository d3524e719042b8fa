package dev.slipstream.pipelines.diffusion.calibration;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile;
import dev.slipstream.pipelines.model.original.ModelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Kinds of files beside a model with what was measured of it. Each says first what it is, and of which denoiser. */
enum MeasuredFile {
    CACHE("slipstream-cache", ModelFile.CALIBRATION, "slipstream calibrate"),
    QUALITY("slipstream-quality", ModelFile.QUALITY, "slipstream bench --save"),
    LATENTS("slipstream-latents", ModelFile.LATENTS, "slipstream cache calibrate");

    private static final int VERSION = 1;

    private final String kind;
    private final ModelFile place;
    private final String maker;

    MeasuredFile(String kind, ModelFile place, String maker) {
        this.kind = kind;
        this.place = place;
        this.maker = maker;
    }

    /** What a denoiser is known by. */
    static String hash(DenoiserGraph denoiser) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
                .digest(denoiser.config().toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** In the folder of a model, or next to its file. */
    Path beside(Path model) {
        return ModelSource.beside(model, place);
    }

    /** @throws ModelException if it is damaged, or something else */
    ConfigFile read(Path file) {
        ConfigFile config = ConfigFile.read(file);
        if (!config.text("kind").filter(kind::equals).isPresent()) {
            throw config.wrong("kind", "is not " + kind + ", so " + maker + " did not make this file");
        }
        int version = config.positiveInteger("version");
        if (version != VERSION) {
            throw config.wrong("version", "is " + version + ", and this release reads " + VERSION + "; " + again());
        }
        return config;
    }

    /** What cures a damaged file. */
    String again() {
        return "run " + maker + " again";
    }

    /** @throws ModelException if what was read is of another denoiser than this */
    void requireFits(Path file, String model, String denoiser, DenoiserGraph wanted) {
        if (!denoiser.equals(hash(wanted))) {
            throw new ModelException(file + " was measured with another denoiser, that of " + model
                + "; remove it, and " + maker + " makes one for this model");
        }
    }

    /** How a file begins. */
    JsonObject head(String model, String denoiser) {
        JsonObject json = new JsonObject();
        json.addProperty("kind", kind);
        json.addProperty("version", VERSION);
        json.addProperty("model", model);
        json.addProperty("denoiser", denoiser);
        return json;
    }

    /** Writes one whole or not at all. @throws IOException in one sentence */
    static void write(Path file, JsonObject json) throws IOException {
        AtomicFile.write(file, new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n");
    }
}
