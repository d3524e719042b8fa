package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** The values that the host writes before the loop, each once a device. */
final class HostValues {
    /** Device addresses of tensors are multiples of this: what TensorRT asks for. */
    static final long ALIGNMENT = 256;

    private record Entry(Value value, Function<Region, HostInput> input) {
    }

    private final Map<List<Object>, Entry> entries = new LinkedHashMap<>();

    /** Bytes of a tensor that the caller gives. */
    Value given(String tensor, int device, long from, long bytes) {
        return entries.computeIfAbsent(List.of(tensor, device, from, bytes), key ->
            new Entry(Value.pinned(device, bytes), to -> new HostInput.Given(tensor, from, to))).value();
    }

    /** The mark of a device's finite checks, which the device changes during the loop. */
    Value mark(int device) {
        return entries.computeIfAbsent(List.of(HostInput.Mark.class, device), key ->
            new Entry(Value.pinned(device, Integer.BYTES), HostInput.Mark::new)).value();
    }

    /** Zeros on a device, of which tensors that are not made are parts. @param bytes of the largest */
    Value zeros(int device, long bytes) {
        return entries.computeIfAbsent(List.of(HostInput.Zeros.class, device), key ->
            new Entry(Value.pinned(device, bytes), HostInput.Zeros::new)).value();
    }

    Value timestep(double time, TensorType type, int device) {
        return entries.computeIfAbsent(List.of(time, device, type), key ->
            new Entry(Value.pinned(device, type.bytes()), to -> new HostInput.Timestep(time, type, to))).value();
    }

    /** Lays the values out, in one buffer a device. */
    List<HostInput> place(Buffers buffers, int devices) {
        List<HostInput> inputs = new ArrayList<>();
        IntStream.range(0, devices).forEach(device -> {
            List<Entry> here = entries.values().stream().filter(entry -> entry.value().device() == device).toList();
            if (!here.isEmpty()) {
                buffers.layOut(device, here.stream().map(Entry::value).toList(), ALIGNMENT);
            }
            here.forEach(entry -> inputs.add(entry.input().apply(buffers.region(entry.value().all()))));
        });
        return inputs;
    }
}
