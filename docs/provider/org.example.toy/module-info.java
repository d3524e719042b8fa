/** A small device provider: each stream is a thread, buffers are memory of the host. */
module org.example.toy {
    requires com.microsoft.onnxruntime;
    requires dev.slipstream.bridge;

    provides dev.slipstream.bridge.DeviceProvider with org.example.toy.ToyProvider;
}
