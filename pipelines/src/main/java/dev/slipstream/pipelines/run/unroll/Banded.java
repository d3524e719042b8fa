package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A tensor like the latents, whole or in bands; each form is made of the other when it is first read. */
final class Banded {
    private final Bands bands;
    private final Map<Integer, Value> forms = new HashMap<>();

    /** A tensor that is still to be made. */
    Banded(Bands bands) {
        this.bands = bands;
    }

    Banded(Bands bands, Value whole) {
        this(bands);
        put(Bands.WHOLE, whole);
    }

    /** @param band its number, or {@link Bands#WHOLE} */
    void put(int band, Value made) {
        forms.put(band, made);
    }

    /** The whole, or a band. @param step that reads it */
    Value in(int band, int step) {
        Value known = forms.get(band);
        if (known != null) {
            return known;
        }
        Value made;
        if (band == Bands.WHOLE) {
            made = Value.made("joined", forms.get(0).device(), bands.bytes(Bands.WHOLE));
            joinTo(made, step);
        } else {
            made = bands.part(forms.get(Bands.WHOLE).all(), band, step);
        }
        put(band, made);
        return made;
    }

    /** Puts all bands together. */
    void joinTo(Value whole, int step) {
        List<Access> parts = IntStream.range(0, bands.count()).mapToObj(band -> forms.get(band).all()).toList();
        bands.join(parts, whole, step);
        put(Bands.WHOLE, whole);
    }
}
