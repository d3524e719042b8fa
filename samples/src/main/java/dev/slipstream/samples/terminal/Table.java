package dev.slipstream.samples.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A table of text in aligned columns. */
public final class Table {
    private record Column(String head, String alignment) {
    }

    private final List<Column> columns = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /** Adds a column that is aligned left, for names. */
    public Table left(String head) {
        columns.add(new Column(head, "-"));
        return this;
    }

    /** Adds a column that is aligned right, for numbers. */
    public Table right(String head) {
        columns.add(new Column(head, ""));
        return this;
    }

    /** Adds a row. @param cells one for each column */
    public Table row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns.size() + " columns");
        }
        rows.add(List.of(cells).stream().map(Object::toString).map(Printable::line).toList());
        return this;
    }

    /** A number as a cell, the same in every locale. @param format as {@link String#format} has it */
    public static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** The table with its heads, a line end after each row. */
    @Override
    public String toString() {
        List<List<String>> all = new ArrayList<>(rows);
        all.addFirst(columns.stream().map(Column::head).toList());
        StringBuilder text = new StringBuilder();
        for (List<String> row : all) {
            StringBuilder line = new StringBuilder();
            for (int index = 0; index < columns.size(); index++) {
                int column = index;
                int width = all.stream().mapToInt(cells -> cells.get(column).length()).max().orElseThrow();
                // A width of 0, of a column without any text, would be a wrong format.
                line.append(String.format("%" + columns.get(index).alignment() + Math.max(1, width) + "s  ",
                    row.get(index)));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
