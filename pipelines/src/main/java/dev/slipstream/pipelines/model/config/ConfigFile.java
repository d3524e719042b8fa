package dev.slipstream.pipelines.model.config;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A configuration of a model: a JSON object in a file, or one inside it, read strictly. A setting that is {@code null}
 * counts as not there; Python's bare {@code Infinity} and {@code NaN} pass. The getters throw {@link ModelException},
 * which names the file and the setting.
 *
 * @param path the file, for messages
 * @param root all settings
 */
public record ConfigFile(Path path, JsonObject root) {
    /** No size in any model comes near it; larger ones would fill the memory before a missing weight is noticed. */
    private static final int LARGEST_SIZE = 1_000_000;
    /** The largest vocabularies take half of it. */
    private static final int MOST_BYTES = 64 << 20;

    /** @throws ModelException if the file cannot be read, or is not one JSON object */
    public static ConfigFile read(Path path) {
        if (load(path) instanceof JsonObject root) {
            return new ConfigFile(path, root);
        }
        throw new ModelException(path + " must hold a JSON object, {...}");
    }

    /**
     * Reads a file that may hold a list instead of an object; the list becomes the only setting of an object.
     *
     * @param key the name of that setting
     * @throws ModelException if the file cannot be read, or is neither
     */
    public static ConfigFile readObjectOrList(Path path, String key) {
        JsonElement root = load(path);
        if (root.isJsonArray()) {
            JsonObject object = new JsonObject();
            object.add(key, root);
            return new ConfigFile(path, object);
        }
        if (root.isJsonObject()) {
            return new ConfigFile(path, root.getAsJsonObject());
        }
        throw new ModelException(path + " must hold a JSON object, {...}, or a list, [...]");
    }

    private static JsonElement load(Path path) {
        try {
            String text = InputFile.text(path, MOST_BYTES);
            if (GitLfs.isPointer(text)) {
                throw new ModelException(GitLfs.advice(path));
            }
            return JsonText.parse(text);
        } catch (MalformedJsonException e) {
            throw new ModelException(path + " is not valid JSON: " + e.getMessage(), e);
        } catch (NoSuchFileException e) {
            throw new ModelException(InputFile.isThere(path) ? e.getMessage() : path + " is missing", e);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    public boolean has(String key) {
        return root.has(key) && !root.get(key).isJsonNull();
    }

    /** A setting as it stands; empty if missing or {@code null}. */
    public Optional<JsonElement> element(String key) {
        return has(key) ? Optional.of(root.get(key)) : Optional.empty();
    }

    public int positiveInteger(String key) {
        return positiveInteger(key, element(key).orElseThrow(() -> wrong(key, "is missing")));
    }

    public int positiveInteger(String key, int otherwise) {
        return element(key).map(value -> positiveInteger(key, value)).orElse(otherwise);
    }

    /** Reads {@code value}, which stands somewhere under {@code key}. */
    public int positiveInteger(String key, JsonElement value) {
        double number = number(key, value);
        if (number != Math.rint(number) || number < 1 || number > LARGEST_SIZE) {
            throw wrong(key, "must be a positive whole number of at most " + LARGEST_SIZE + ", not " + value);
        }
        return (int) number;
    }

    /** Reads {@code value}, which stands somewhere under {@code key}: 0 or a positive whole number. */
    public int index(String key, JsonElement value) {
        double number = number(key, value);
        if (number != Math.rint(number) || number < 0 || number > Integer.MAX_VALUE) {
            throw wrong(key, "must be a whole number that is not negative, not " + value);
        }
        return (int) number;
    }

    public double number(String key, double otherwise) {
        return element(key).map(value -> number(key, value)).orElse(otherwise);
    }

    /** Reads {@code value}, which stands somewhere under {@code key}. */
    public double number(String key, JsonElement value) {
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber()
            && Double.isFinite(value.getAsDouble())) {
            return value.getAsDouble();
        }
        throw wrong(key, "must be a number, not " + value);
    }

    public boolean flag(String key, boolean otherwise) {
        return element(key).map(value -> flag(key, value)).orElse(otherwise);
    }

    /** Reads {@code value}, which stands somewhere under {@code key}. */
    public boolean flag(String key, JsonElement value) {
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean()) {
            return value.getAsBoolean();
        }
        throw wrong(key, "must be true or false, not " + value);
    }

    public Optional<String> text(String key) {
        return element(key).map(value -> text(key, value));
    }

    /** Reads {@code value}, which stands somewhere under {@code key}. */
    public String text(String key, JsonElement value) {
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
            return value.getAsString();
        }
        throw wrong(key, "must be a text, not " + value);
    }

    /** The settings of an object inside this one. */
    public Optional<ConfigFile> object(String key) {
        return element(key).map(value -> inside(key, value));
    }

    /** The objects of a list inside this one; none if it is missing. */
    public List<ConfigFile> objects(String key) {
        return list(key).stream().map(value -> inside(key, value)).toList();
    }

    /** The elements of a list; none if it is missing. */
    public List<JsonElement> list(String key) {
        return element(key).map(value -> {
            if (!value.isJsonArray()) {
                throw wrong(key, "must be a list, not " + value);
            }
            return value.getAsJsonArray().asList();
        }).orElse(List.of());
    }

    private ConfigFile inside(String key, JsonElement value) {
        if (!value.isJsonObject()) {
            throw wrong(key, "must be an object, not " + value);
        }
        return new ConfigFile(path, value.getAsJsonObject());
    }

    /** The exception for a setting of this file: "FILE: "key" must be ...". */
    public ModelException wrong(String key, String complaint) {
        String whole = path + ": \"" + key + "\" " + complaint;
        return new ModelException(whole.length() > 400 ? whole.substring(0, 400) + "..." : whole);
    }
}
