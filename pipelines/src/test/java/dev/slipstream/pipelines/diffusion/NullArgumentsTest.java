package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.image.ImageFormat;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Null is refused by the call that is given it, not by a later one. */
class NullArgumentsTest {
    private static final Image IMAGE = Image.of(1, 1, new byte[3]);
    private static final Map<Class<?>, Object> USUAL = Map.of(int.class, 1, long.class, 1L, double.class, 0.5,
        boolean.class, true, String.class, "name", Path.class, Path.of("nowhere.png"), Map.class, Map.of(),
        ImageFormat.class, ImageFormat.PNG, OutputStream.class, OutputStream.nullOutputStream());

    @Test
    void nullIsRefusedAtOnce() throws IllegalAccessException {
        List<String> taken = new ArrayList<>();
        int calls = 0;
        for (Object value : List.of(ImageRequest.of("a star"), GivenImage.of(IMAGE), Conditioning.DEFAULT, IMAGE,
            DiffusionPipeline.of(Path.of("nowhere")))) {
            for (Method method : value.getClass().getMethods()) {
                if (method.getDeclaringClass() != value.getClass() || method.getName().equals("equals")) {
                    continue;
                }
                Class<?>[] types = method.getParameterTypes();
                for (int index = 0; index < types.length; index++) {
                    if (!types[index].isPrimitive()) {
                        calls++;
                        if (!refuses(method, value, index)) {
                            taken.add(method + " takes null");
                        }
                    }
                }
            }
        }
        assertEquals(new TreeSet<>(), new TreeSet<>(taken));
        int tried = calls;
        assertTrue(tried > 30, () -> "only " + tried + " were tried");
    }

    private static boolean refuses(Method method, Object value, int index) throws IllegalAccessException {
        Object[] arguments = Arrays.stream(method.getParameterTypes()).map(USUAL::get).toArray();
        arguments[index] = null;
        try {
            method.invoke(Modifier.isStatic(method.getModifiers()) ? null : value, arguments);
            return false;
        } catch (InvocationTargetException failed) {
            return failed.getCause() instanceof NullPointerException;
        }
    }
}
