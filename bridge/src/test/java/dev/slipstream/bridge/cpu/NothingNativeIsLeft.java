package dev.slipstream.bridge.cpu;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * After each test of a class, when all is closed, ONNX Runtime has no object that the test made. A test may take the
 * calls that are watched as its parameter.
 */
final class NothingNativeIsLeft implements BeforeEachCallback, AfterEachCallback, ParameterResolver {
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

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return parameter.getParameter().getType() == CountingOrtApi.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        return natives;
    }
}
