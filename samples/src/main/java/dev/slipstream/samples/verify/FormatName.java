package dev.slipstream.samples.verify;

import dev.slipstream.pipelines.model.ComponentFormat;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code onnx} and {@code checkpoint} on the command line. */
public final class FormatName implements ITypeConverter<ComponentFormat> {
    @Override
    public ComponentFormat convert(String text) {
        List<String> names = Arrays.stream(ComponentFormat.values()).map(it -> it.name().toLowerCase(Locale.ROOT))
            .toList();
        if (!names.contains(text)) {
            throw new TypeConversionException("must be one of " + names + ", not '" + text + "'");
        }
        return ComponentFormat.values()[names.indexOf(text)];
    }
}
