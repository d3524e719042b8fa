package dev.slipstream.bridge.cpu;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** After each test of a class, when all is closed, ONNX Runtime has no object that the test made. */
final class NothingNativeIsLeft implements BeforeEachCallback, AfterEachCallback {
    private CountingOrtApi natives;

    @Override
    public void beforeEach(ExtensionContext test) {
        natives = CountingOrtApi.open();
    }

    @Override
    public void afterEach(ExtensionContext test) {
        natives.awaitRelease();
        natives.close();
        natives.assertNothingIsLeft();
    }
}
