package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.Shape;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The checked header of a safetensors file: every entry's range is as long as its shape says, and together they fill
 * the data exactly once.
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {

    /** @param begin first byte, counted from the end of the header */
    record Entry(StoredType type, Shape shape, long begin, long end) {
    }

    /** @throws ModelException if anything in it is not as the format asks */
    static SafetensorsHeader parse(Path path, byte[] json, long dataBytes) {
        SafetensorsHeader header = new SafetensorsHeaderReader(path).read(json);
        header.checkRanges(path, dataBytes);
        return header;
    }

    private void checkRanges(Path path, long dataBytes) {
        long position = 0;
        for (Map.Entry<String, Entry> named : inFileOrder()) {
            String name = SafetensorsHeaderReader.shortened(named.getKey());
            Entry entry = named.getValue();
            if (entry.end > dataBytes) {
                throw new ModelException(path + " is cut short: tensor " + name + " ends at byte " + entry.end
                    + " of the data, which has " + dataBytes + "; download it again");
            }
            if (entry.begin != position) {
                throw new ModelException(path + ": tensor " + name + " starts at byte " + entry.begin
                    + " of the data, but the one before it ends at " + position);
            }
            position = entry.end;
        }
        if (position != dataBytes) {
            throw new ModelException(path + ": the data has " + dataBytes + " bytes, but the tensors only " + position);
        }
    }

    /** Tensors without elements first, where they share their place with others. */
    private List<Map.Entry<String, Entry>> inFileOrder() {
        return entries.entrySet().stream().sorted(Comparator
            .comparingLong((Map.Entry<String, Entry> named) -> named.getValue().begin)
            .thenComparingLong(named -> named.getValue().end)).toList();
    }
}
