package dev.slipstream.samples.options;

import dev.slipstream.pipelines.model.folder.ComponentFormat;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code onnx} and {@code checkpoint} as the forms of a component. */
public final class ComponentFormatConverter implements ITypeConverter<ComponentFormat> {
    /** Their names, for shells that complete words. */
    public static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return names().iterator();
        }
    }

    @Override
    public ComponentFormat convert(String text) {
        List<String> names = names();
        if (!names.contains(text)) {
            throw new TypeConversionException("must be one of " + names + ", not '" + text + "'");
        }
        return ComponentFormat.values()[names.indexOf(text)];
    }

    private static List<String> names() {
        return Arrays.stream(ComponentFormat.values()).map(it -> it.name().toLowerCase(Locale.ROOT)).toList();
    }
}
