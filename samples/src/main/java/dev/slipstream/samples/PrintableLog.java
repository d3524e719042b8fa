package dev.slipstream.samples;

import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/** Lines of the log as a terminal may show them. Named in {@code config/logging.properties}. */
public final class PrintableLog extends SimpleFormatter {
    @Override
    public String format(LogRecord logged) {
        return Printable.lines(super.format(logged));
    }

    /** A line of its own in a message could pass for another message. */
    @Override
    public String formatMessage(LogRecord logged) {
        return Printable.line(super.formatMessage(logged));
    }
}
