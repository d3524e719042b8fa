package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import java.util.ArrayList;
import java.util.List;

/** Everything that an execution made on devices, and the order in which it is freed. */
final class Resources implements AutoCloseable {
    private final Closer running = new Closer();
    private final Closer owned = new Closer();
    private final List<Stream> streams = new ArrayList<>();
    private final List<Buffer> buffers = new ArrayList<>();
    private List<Device> devices = List.of();
    private Event[] events = new Event[0];

    void allocate(Program program, List<Device> on) {
        devices = List.copyOf(on);
        for (Program.StreamSpec spec : program.streams()) {
            Device device = devices.get(spec.device());
            newStream(device, spec.copies() ? " copies" : "");
        }
        for (Program.BufferSpec spec : program.buffers()) {
            buffers.add(own(devices.get(spec.device()).allocate(spec.bytes())));
        }
        events = new Event[program.events()];
        for (Instruction instruction : program.instructions()) {
            if (instruction instanceof Instruction.Record record) {
                Device device = devices.get(program.streams().get(record.stream()).device());
                events[record.event()] = own(device.newEvent());
            }
        }
    }

    /** Makes one more stream, behind those of the program. */
    Stream newStream(Device device, String purpose) {
        Stream stream = running.own(device.newStream(device.name() + purpose));
        streams.add(stream);
        return stream;
    }

    <T extends AutoCloseable> T own(T made) {
        return owned.own(made);
    }

    List<Stream> streams() {
        return streams;
    }

    List<Buffer> buffers() {
        return buffers;
    }

    Event[] events() {
        return events;
    }

    List<String> deviceNames() {
        return devices.stream().map(Device::name).toList();
    }

    Device device(int index) {
        return devices.get(index);
    }

    Slice slice(Region region) {
        return buffers.get(region.buffer()).slice(region.offset(), region.bytes());
    }

    /** A stream of the device that a buffer lies on. */
    Stream streamOf(Buffer buffer) {
        return streams.stream().filter(stream -> stream.device() == buffer.device()).findFirst().orElseThrow();
    }

    void synchronize() {
        for (Stream stream : streams) {
            stream.synchronize();
        }
    }

    void closeAfter(Throwable cause) {
        inOrder().closeAfter(cause);
    }

    @Override
    public void close() {
        inOrder().close();
    }

    /** Streams first: nothing may be freed while they still work. */
    private Closer inOrder() {
        Closer all = new Closer();
        all.own(owned);
        all.own(running);
        return all;
    }
}
