package dev.slipstream.pipelines.model.config;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import java.util.Map;
import java.util.Set;

/**
 * Which options the configuration of a component may have. All others are refused by name, so that no option that
 * changes the result is ignored. Options that begin with an underscore are private to the program that wrote the file.
 *
 * @param followed options that are read, whatever their value
 * @param withoutEffect options that do not change what a trained model computes in float32
 * @param only the one value, as JSON, that an option may have, beside {@code null}
 * @param neverNull those of {@code followed} for which {@code null} is a value of its own, not the default
 */
public record SupportedOptions(Set<String> followed, Set<String> withoutEffect, Map<String, String> only,
    Set<String> neverNull) {

    /** @throws ModelException naming the option that is not supported, or whose value is not */
    public void check(ConfigFile config) {
        config.root().entrySet().forEach(option -> check(config, option.getKey(), option.getValue()));
    }

    private void check(ConfigFile config, String key, JsonElement value) {
        if (value instanceof JsonNull) {
            if (neverNull.contains(key)) {
                throw config.wrong(key, "is null, which is not supported");
            }
        } else if (only.containsKey(key)) {
            JsonElement supported = JsonParser.parseString(only.get(key));
            // Gson compares numbers by value, so 1 is 1.0.
            if (!value.equals(supported)) {
                throw config.wrong(key, "is " + value + ", which is not supported; "
                    + (supported instanceof JsonNull ? "leave it out" : "only " + supported + " is"));
            }
        } else if (!key.startsWith("_") && !followed.contains(key) && !withoutEffect.contains(key)) {
            throw config.wrong(key, "is an option that is not supported");
        }
    }
}
