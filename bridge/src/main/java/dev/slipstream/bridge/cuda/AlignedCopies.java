package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.Closer;
import java.util.ArrayList;
import java.util.List;

/**
 * Stand-ins for tensors that begin where an engine cannot take them: TensorRT wants multiples of 256 bytes, and a slice
 * may begin at any element. Inputs are copied to their stand-in before each run, outputs from it after. Most bindings
 * need none. It owns the stand-ins.
 */
final class AlignedCopies {
    private record Copy(long from, long to, long bytes) {
    }

    private final CudaDevice device;
    private final long alignment;
    private final List<Copy> before = new ArrayList<>();
    private final List<Copy> after = new ArrayList<>();
    private final Closer owned = new Closer();

    /** @param alignment of which the addresses that the engine takes are multiples, in bytes */
    AlignedCopies(CudaDevice device, long alignment) {
        this.device = device;
        this.alignment = alignment;
    }

    /** The tensor itself if its address is aligned, else its stand-in. */
    DeviceTensor place(DeviceTensor tensor, boolean input) {
        long bytes = tensor.type().bytes();
        if (tensor.address() % alignment == 0) {
            return tensor;
        }
        long inside = device.heap().allocate(bytes);
        owned.own(() -> device.heap().free(inside));
        if (input) {
            before.add(new Copy(tensor.address(), inside, bytes));
        } else {
            after.add(new Copy(inside, tensor.address(), bytes));
        }
        return new DeviceTensor(inside, tensor.type());
    }

    void copyInputs(StreamHandle stream) {
        copy(before, stream);
    }

    void copyOutputs(StreamHandle stream) {
        copy(after, stream);
    }

    private void copy(List<Copy> copies, StreamHandle stream) {
        for (int i = 0; i < copies.size(); i++) { // no iterator, which would be an allocation
            Copy copy = copies.get(i);
            device.calls().copy(copy.from(), copy.to(), copy.bytes(), stream);
        }
    }

    /** Frees the stand-ins, after all runs. */
    void free() {
        owned.close();
    }

    /** Frees the stand-ins, which no run will use. */
    void freeAfter(RuntimeException failure) {
        owned.closeAfter(failure);
    }
}
