package dev.slipstream.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.slipstream.bridge.provider.Failures;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What failed on a stream reaches callers as what it is. */
class FailuresTest {
    @ParameterizedTest
    @ValueSource(classes = {DeviceException.class, DeviceLostException.class, DeviceOutOfMemoryException.class,
        DeviceUnavailableException.class, EngineBuildException.class})
    void everyCallerGetsOneOfItsOwnOfTheSameKind(Class<? extends DeviceException> kind) throws Exception {
        DeviceException failure = kind.getConstructor(String.class).newInstance("cuda:0: no room for 8 bytes");
        DeviceException thrown = Failures.copyForCaller(failure);
        assertEquals(kind, thrown.getClass());
        assertNotSame(failure, thrown);
        assertEquals(failure.getMessage(), thrown.getMessage());
        assertSame(failure, Failures.origin(Failures.copyForCaller(thrown)));
        assertEquals(kind, Failures.like(failure, "skipped").getClass());
    }

    @Test
    void whatHasNoMessageIsCalledByItsName() {
        assertEquals("java.lang.NullPointerException", Failures.reason(new NullPointerException()));
        assertEquals("no room", Failures.reason(new DeviceException("no room")));
    }
}
