package dev.slipstream.samples;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/** How results are printed for programs: records as objects, names as they stand. */
public final class Json {
    private Json() {
    }

    /** @param result a record, a list or a map of such */
    public static String text(Object result) {
        Gson gson = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();
        return gson.toJson(result);
    }
}
