package dev.slipstream.bridge;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/**
 * What every device must do, whoever provides it: each sentence of the neutral API is a test in one of the interfaces.
 * A provider's tests extend this class. After each test nothing may be left on the devices.
 */
@Timeout(60)
public abstract class DeviceContractTest implements CopyContract, EngineContract {
    private DeviceFixture fixture;

    /** The provider under test; one instance for all tests of the class is enough. */
    protected abstract DeviceProvider provider();

    /** A device that can be opened twice. */
    protected abstract DeviceSpec spec();

    /** Queues something on the stream that does not end before the gate is opened. */
    protected abstract DeviceFixture.Gate block(Stream stream);

    @Override
    public DeviceFixture fixture() {
        return fixture;
    }

    @BeforeEach
    void openDevices() {
        fixture = new DeviceFixture(provider(), spec(), this::block);
    }

    @AfterEach
    void closeDevices() throws Exception {
        fixture.close();
    }
}
