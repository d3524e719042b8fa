package dev.slipstream.bridge.tensorrt.abi;

import java.util.HashSet;
import java.util.Set;

/**
 * The objects through which TensorRT may call Java at the moment. Once the virtual machine shuts down such a call would
 * end the process at once, with an error in place of its exit code, and libraries do call late: from destructors that
 * run when the process ends. So {@link #silence} is to be called at shutdown. Any thread may use it.
 */
public final class Callbacks {
    // Guarded by this.
    private final Set<JavaObject> objects = new HashSet<>();
    private boolean silent;

    /** Before TensorRT is given the object. */
    public synchronized void add(JavaObject object) {
        objects.add(object);
        if (silent) {
            object.silence();
        }
    }

    /** Once TensorRT has forgotten the object, and before its arena is closed. */
    public synchronized void remove(JavaObject object) {
        objects.remove(object);
    }

    /** From now on nothing calls Java: messages are lost, and builds end. */
    public synchronized void silence() {
        silent = true;
        objects.forEach(JavaObject::silence);
    }
}
