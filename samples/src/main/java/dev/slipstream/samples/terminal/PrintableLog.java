package dev.slipstream.samples.terminal;

import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/** Log lines that are safe to show on a terminal. Named in {@code config/logging.properties}. */
public final class PrintableLog extends SimpleFormatter {
    @Override
    public String format(LogRecord logged) {
        return Printable.lines(super.format(logged));
    }

    /** A message of several lines could look like several messages. */
    @Override
    public String formatMessage(LogRecord logged) {
        return Printable.line(super.formatMessage(logged));
    }
}
