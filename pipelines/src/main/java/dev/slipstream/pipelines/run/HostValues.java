package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The values that the host writes before the loop, each once a device. */
final class HostValues {
    /** Device addresses of tensors are multiples of this: what TensorRT asks for. */
    private static final long ALIGNMENT = 256;

    private record Entry(Value value, Function<Region, HostInput> input) {
    }

    private final Map<List<Object>, Entry> entries = new LinkedHashMap<>();

    HostValues(LoopSpec loop) {
        if (loop.noise().steps() < 1) {
            throw new IllegalArgumentException("a loop has at least one step");
        }
    }

    /** Bytes of a tensor that the caller gives. */
    Value given(String tensor, int device, long from, long bytes) {
        return entries.computeIfAbsent(List.of(tensor, device, from, bytes), key ->
            new Entry(Value.pinned(tensor, device, bytes), to -> new HostInput.Given(tensor, from, to))).value();
    }

    /** The mark of a device's guards, which the device changes during the loop. */
    Value mark(int device) {
        return entries.computeIfAbsent(List.of(HostInput.Mark.class, device), key ->
            new Entry(Value.pinned("mark", device, Integer.BYTES), HostInput.Mark::new)).value();
    }

    Value timestep(double time, TensorType type, int device) {
        return entries.computeIfAbsent(List.of(time, device, type), key ->
            new Entry(Value.pinned("t" + time, device, type.bytes()),
                to -> new HostInput.Timestep(time, type, to))).value();
    }

    /** Lays the values out, one buffer a device. Adds the buffers, and says where each value lies. */
    Map<Value, Region> place(List<Program.BufferSpec> buffers, List<HostInput> inputs, int devices) {
        Map<Value, Region> places = new LinkedHashMap<>();
        for (int device = 0; device < devices; device++) {
            long end = 0;
            List<Entry> here = new ArrayList<>();
            for (Entry entry : entries.values()) {
                if (entry.value().device() == device) {
                    here.add(entry);
                    places.put(entry.value(), new Region(buffers.size(), end, entry.value().bytes()));
                    end = Math.ceilDiv(end + entry.value().bytes(), ALIGNMENT) * ALIGNMENT;
                }
            }
            here.forEach(entry -> inputs.add(entry.input().apply(places.get(entry.value()))));
            if (!here.isEmpty()) {
                buffers.add(new Program.BufferSpec(device, end));
            }
        }
        return places;
    }
}
