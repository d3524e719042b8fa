package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.KernelHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.KernelModule;
import dev.slipstream.bridge.provider.Closer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * The kernels of {@code native/}, compiled by the driver from the PTX that ships with this class, for one device. The
 * offsets of arguments are those of {@code native/src/arguments.h}. Launching allocates nothing. It owns the module.
 */
final class CudaKernels implements AutoCloseable {
    private static final String RESOURCE = "kernels.ptx";
    private static final int THREADS = 256;

    /** Kernels stride over their grid, so a few blocks for each multiprocessor are enough however long the tensor. */
    private static final int MAX_BLOCKS = 2048;

    private final DeviceCalls calls;
    private final Closer owned = new Closer();
    private final KernelHandle combine;
    private final KernelHandle spread;
    private final KernelHandle rescale;
    private final KernelHandle clamp;
    private final KernelHandle threshold;
    private final KernelHandle changeLanes;
    private final KernelHandle change;
    private final Map<DataType, KernelHandle> finiteChecks = new HashMap<>();

    CudaKernels(DeviceCalls calls) {
        this.calls = calls;
        KernelModule module = owned.own(KernelModule.load(calls, source()));
        try {
            combine = module.kernel("combine_f32");
            spread = module.kernel("rescale_spread_f32");
            rescale = module.kernel("rescale_f32");
            clamp = module.kernel("clamp_f32");
            threshold = module.kernel("threshold_f32");
            changeLanes = module.kernel("change_lanes_f32");
            change = module.kernel("change_f32");
            finiteChecks.put(DataType.FLOAT32, module.kernel("guard_f32"));
            finiteChecks.put(DataType.FLOAT16, module.kernel("guard_f16"));
            finiteChecks.put(DataType.BFLOAT16, module.kernel("guard_bf16"));
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private static String source() {
        try (InputStream ptx = CudaKernels.class.getResourceAsStream(RESOURCE)) {
            return new String(ptx.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }

    void combine(Combination combination, LaunchArguments arguments, StreamHandle stream) {
        int terms = combination.inputs().size();
        for (int i = 0; i < terms; i++) {
            arguments.set(8L * i, CudaBuffer.address(combination.inputs().get(i)));
            arguments.set(64 + 4L * i, combination.weights().get(i).floatValue());
        }
        Slice out = combination.out();
        long count = out.bytes() / Float.BYTES;
        arguments.set(96, CudaBuffer.address(out));
        arguments.set(104, count);
        arguments.set(112, terms);
        launch(combine, count, arguments, stream);
    }

    void rescale(GuidanceRescale wanted, LaunchArguments arguments, StreamHandle stream) {
        long count = wanted.out().bytes() / Float.BYTES;
        arguments.set(0, CudaBuffer.address(wanted.text()));
        arguments.set(8, CudaBuffer.address(wanted.guided()));
        arguments.set(16, CudaBuffer.address(wanted.out()));
        arguments.set(24, CudaBuffer.address(wanted.work()));
        arguments.set(32, count / wanted.pictures());
        arguments.set(40, wanted.pictures());
        arguments.set(44, wanted.strength());
        launch(spread, (long) wanted.pictures() * GuidanceRescale.LANES, arguments, stream);
        launch(rescale, count, arguments, stream);
    }

    void limit(Limiting limiting, LaunchArguments arguments, StreamHandle stream) {
        long count = limiting.values();
        arguments.set(0, CudaBuffer.address(limiting.in()));
        arguments.set(8, CudaBuffer.address(limiting.out()));
        switch (limiting.limit()) {
            case Limit.Clamp clamped -> {
                arguments.set(16, count * limiting.pictures());
                arguments.set(24, clamped.range());
                launch(clamp, count * limiting.pictures(), arguments, stream);
            }
            case Limit.DynamicThreshold dynamic -> {
                float rank = dynamic.rank(count);
                arguments.set(16, count);
                arguments.set(24, (long) rank);
                arguments.set(32, rank - (long) rank);
                arguments.set(36, dynamic.largest());
                arguments.set(40, limiting.pictures());
                launch(threshold, (long) limiting.pictures() * THREADS, arguments, stream);
            }
        }
    }

    void compare(RelativeChange wanted, LaunchArguments arguments, StreamHandle stream) {
        arguments.set(0, CudaBuffer.address(wanted.now()));
        arguments.set(8, CudaBuffer.address(wanted.then()));
        arguments.set(16, CudaBuffer.address(wanted.work()));
        arguments.set(24, CudaBuffer.address(wanted.out()));
        arguments.set(32, wanted.now().bytes() / Float.BYTES);
        launch(changeLanes, RelativeChange.LANES, arguments, stream);
        launch(change, RelativeChange.GROUPS, arguments, stream);
    }

    void checkFinite(Tensor tensor, Slice mark, int label, LaunchArguments arguments, StreamHandle stream) {
        DataType type = tensor.type().type();
        long count = tensor.slice().bytes() / type.bytes();
        arguments.set(0, CudaBuffer.address(tensor.slice()));
        arguments.set(8, CudaBuffer.address(mark));
        arguments.set(16, count);
        arguments.set(24, label);
        launch(finiteChecks.get(type), count, arguments, stream);
    }

    private void launch(KernelHandle kernel, long elements, LaunchArguments arguments, StreamHandle stream) {
        if (elements > 0) {
            int blocks = (int) Math.min(MAX_BLOCKS, Math.ceilDiv(elements, THREADS));
            calls.launch(kernel, blocks, THREADS, arguments.pointers(), stream);
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
