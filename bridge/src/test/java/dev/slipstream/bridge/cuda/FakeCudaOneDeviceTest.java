package dev.slipstream.bridge.cuda;

/** One GPU, opened twice. */
class FakeCudaOneDeviceTest extends FakeCudaContract {
}
