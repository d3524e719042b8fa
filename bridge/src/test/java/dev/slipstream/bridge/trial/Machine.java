package dev.slipstream.bridge.trial;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;

/**
 * Where trials run.
 *
 * @param tensorRt whether engines are TensorRT's
 */
record Machine(DeviceProvider provider, boolean tensorRt) {
    Device open(int ordinal) {
        return provider.open(DeviceSpec.parse("cuda:" + ordinal));
    }

    void requireTensorRt() {
        if (!tensorRt) {
            throw new NothingHereException("needs TensorRT, and engines run on the host here");
        }
    }

    /** What an engine with one input {@code x} and one output {@code y}, both of this shape, makes of some values. */
    static float[] run(Device device, Engine engine, float[] x) {
        TensorType type = TensorType.of(DataType.FLOAT32, x.length);
        try (Closer owned = new Closer()) {
            Buffer in = owned.own(device.allocate(type.bytes()));
            Buffer out = owned.own(device.allocate(type.bytes()));
            ExecutionContext context = owned.own(engine.newContext());
            Stream stream = owned.own(device.newStream("trial"));
            stream.upload(MemorySegment.ofArray(x), in.all());
            stream.run(context.bind(Map.of("x", new Tensor(in.all(), type), "y", new Tensor(out.all(), type))));
            return read(stream, out, x.length);
        }
    }

    static float[] read(Stream stream, Buffer buffer, int count) {
        float[] values = new float[count];
        stream.download(buffer.all(), MemorySegment.ofArray(values));
        stream.synchronize();
        return values;
    }

    /** @throws AssertionError if a value is off by more than the tolerance, or no number */
    static void requireEqual(String what, float[] expected, float[] found, double tolerance) {
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            double off = Math.abs((double) expected[i] - found[i]);
            if (!(off <= tolerance)) {
                throw new AssertionError(what + ": value " + i + " of " + expected.length + " is " + found[i]
                    + " and not " + expected[i]);
            }
            worst = Math.max(worst, off);
        }
        System.out.println(what + ": " + expected.length + " values, off by " + worst + " at most");
    }

    static float[] values(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 1000 / 1000f;
        }
        return values;
    }

    static void requireSame(String what, float[] expected, float[] found) {
        if (!Arrays.equals(expected, found)) {
            requireEqual(what, expected, found, 0);
        }
        System.out.println(what + ": the same bits");
    }
}
