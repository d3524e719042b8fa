package dev.slipstream.bridge.tensorrt;

import java.util.Optional;

/** TensorRT's {@code IEngineInspector}: tells what is in an engine. */
final class EngineInspector extends NativeObject {
    EngineInspector(InferenceEngine engine, CppObject object) {
        super(engine.tensorRt(), object, Optional.of(engine));
    }

    /** Layers and bindings, as JSON. */
    String describe() {
        return CppObject.text(object().pointer(Method.GET_ENGINE_INFORMATION, Constant.JSON.value(major())));
    }
}
