package dev.slipstream.pipelines.fuzz;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Puts another value in the place of one somewhere inside a JSON element. */
final class JsonDamage {
    private static final List<String> VALUES = List.of("0", "-1", "1", "2", "7", "0.5", "1e300", "-1e-300", "65536",
        "100000", "1000000", "1000000000", "9223372036854775807", "1e999", "\"\"", "\"nope\"", "null", "true", "false",
        "[]", "{}", "[4, -3]", "[[1]]", "[1000000000]");

    private JsonDamage() {
    }

    /** @param element an object or a list with something in it; changed */
    static void damage(JsonElement element, Random random) {
        List<Place> places = new ArrayList<>();
        collect(element, places);
        Place place = places.get(random.nextInt(places.size()));
        place.put().accept(random.nextInt(4) == 0 ? other(place.old(), random) : any(random));
    }

    private static JsonElement any(Random random) {
        return JsonParser.parseString(VALUES.get(random.nextInt(VALUES.size())));
    }

    /** Of the same kind, so that it comes further: another number, or a name that is almost right. */
    private static JsonElement other(JsonElement old, Random random) {
        if (old.isJsonPrimitive() && old.getAsJsonPrimitive().isNumber()) {
            return JsonParser.parseString(Long.toString(old.getAsLong() * random.nextInt(1, 1000) + random.nextInt(3)));
        }
        return old.isJsonPrimitive() && old.getAsJsonPrimitive().isString()
            ? new JsonPrimitive(old.getAsString() + "x") : JsonNull.INSTANCE;
    }

    private record Place(JsonElement old, Consumer<JsonElement> put) {
    }

    private static void collect(JsonElement element, List<Place> places) {
        if (element instanceof JsonObject object) {
            object.entrySet().forEach(entry -> places.add(new Place(entry.getValue(), entry::setValue)));
            object.entrySet().forEach(entry -> collect(entry.getValue(), places));
        } else if (element instanceof JsonArray list) {
            IntStream.range(0, list.size()).forEach(i -> places.add(new Place(list.get(i), it -> list.set(i, it))));
            list.forEach(entry -> collect(entry, places));
        }
    }
}
