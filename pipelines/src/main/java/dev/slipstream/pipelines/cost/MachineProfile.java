package dev.slipstream.pipelines.cost;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What was measured of a machine with a model, as a file keeps it.
 *
 * @param format {@link #FORMAT}
 * @param measured the day
 * @param model whose modules were measured, for people
 * @param denoiser what the model's denoiser is known by
 * @param latents the shape of one picture's latents
 * @param specs of the devices, as a pipeline names them
 * @param devices in this order
 * @param links from each device to each other one
 * @param hostNanos to queue an instruction
 */
public record MachineProfile(String format, String measured, String model, String denoiser, String latents,
    List<String> specs, List<Profile> devices, List<Link> links, long hostNanos) {
    public static final String FORMAT = "slipstream-profile-2";
    /** Far more than any machine has modules and devices. */
    private static final int MOST_BYTES = 16 << 20;
    /** A rate is infinite where the model has no such work. */
    private static final Gson GSON =
        new GsonBuilder().setPrettyPrinting().serializeSpecialFloatingPointValues().create();

    /**
     * The way from a device to another, by their places.
     *
     * @param latencyNanos of a copy, beside its bytes
     */
    public record Link(int from, int to, double bytesPerNano, long latencyNanos) {
    }

    public MachineProfile {
        specs = List.copyOf(specs);
        devices = List.copyOf(devices);
        links = List.copyOf(links);
        if (devices.isEmpty() || devices.size() != specs.size()) {
            throw new IllegalArgumentException("a profile has at least one device, each with what it is called");
        }
    }

    /** @throws ModelException if the file cannot be read, or is something else */
    public static MachineProfile read(Path file) {
        String text;
        try {
            text = InputFile.text(file, MOST_BYTES);
        } catch (IOException unreadable) {
            throw new ModelException(String.valueOf(unreadable.getMessage()), unreadable);
        }
        try {
            JsonObject json = JsonParser.parseString(text).getAsJsonObject();
            if (json.has("format") && json.get("format").getAsString().equals(FORMAT)) {
                return GSON.fromJson(json, MachineProfile.class);
            }
            throw new ModelException(file + " is no profile of this version; make one with slipstream profile");
        } catch (ModelException other) {
            throw other;
        } catch (RuntimeException damaged) {
            // What Gson throws depends on where it stumbles.
            throw new ModelException(file + " cannot be read as a profile: " + damaged.getMessage()
                + "; make one with slipstream profile", damaged);
        }
    }

    /** Writes the file, whole or not at all. */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, GSON.toJson(this) + "\n");
    }
}
