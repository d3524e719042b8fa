package dev.slipstream.bridge.contract;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Stream;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;

/**
 * What the devices of every provider must do: each sentence of the neutral API is a test in one of the interfaces.
 * A provider's tests extend this class. After each test nothing may be left on the devices.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
public abstract class DeviceContractTest implements CopyContract, CombineContract, RescaleContract,
        LimitContract, ChangeContract, FiniteCheckContract, EventContract, FailureContract, EngineContract,
        BindingContract, CaptureContract, LifecycleContract, LeakContract, GiveUpContract, MemoryContract,
        RandomWorkContract {
    private DeviceFixture fixture;

    /** The provider under test; one instance for all tests of the class is enough. */
    protected abstract DeviceProvider provider();

    /** A device that can be opened twice. */
    protected abstract DeviceSpec spec();

    /** A device beside it: another one of the same kind, or the same opened once more. */
    protected DeviceSpec otherSpec() {
        return spec();
    }

    /** Queues something on the stream that does not end before the gate is opened. */
    protected abstract DeviceFixture.Gate block(Stream stream);

    /**
     * Queues work on the stream that fails, so that its message contains {@code bad/pick} and what is queued after it
     * is skipped. A provider whose devices cannot skip work behind an engine that fails while it runs does it
     * otherwise.
     */
    protected void queueFailure(DeviceFixture on, Stream stream) {
        on.queueFailingRun(stream);
    }

    @Override
    public DeviceFixture fixture() {
        return fixture;
    }

    @Override
    public Device openDevice() {
        return provider().open(spec());
    }

    @BeforeEach
    void openDevices() {
        fixture = new DeviceFixture(provider(), List.of(spec(), otherSpec()), this::block, this::queueFailure);
    }

    @AfterEach
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void closeDevices() throws Exception {
        fixture.close();
    }
}
