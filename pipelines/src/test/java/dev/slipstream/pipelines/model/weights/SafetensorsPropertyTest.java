package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class SafetensorsPropertyTest {
    @Property(tries = 150)
    void whatIsWrittenIsRead(@ForAll("files") Map<String, StoredTensor> tensors,
        @ForAll("texts") Map<String, String> metadata) throws IOException {
        Path file = Files.createTempFile("property", ".safetensors");
        try {
            SafetensorsWriter.write(file, tensors, metadata);
            try (SafetensorsFile read = SafetensorsFile.open(file)) {
                assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.tensors().keySet()));
                assertEquals(metadata, read.metadata());
                tensors.forEach((name, tensor) -> {
                    StoredTensor other = read.tensor(name);
                    assertEquals(tensor.type(), other.type());
                    assertEquals(tensor.shape(), other.shape());
                    assertEquals(-1, tensor.data().mismatch(other.data()));
                });
            }
        } finally {
            Files.delete(file);
        }
    }

    @Provide
    Arbitrary<Map<String, StoredTensor>> files() {
        return Arbitraries.maps(names(), tensors()).ofMaxSize(6);
    }

    @Provide
    Arbitrary<Map<String, String>> texts() {
        return Arbitraries.maps(names(), names()).ofMaxSize(3);
    }

    private static Arbitrary<String> names() {
        return Arbitraries.strings().ofMaxLength(12).filter(StandardCharsets.UTF_8.newEncoder()::canEncode);
    }

    private static Arbitrary<StoredTensor> tensors() {
        Arbitrary<Shape> shapes = Arbitraries.longs().between(0, 5).array(long[].class).ofMaxSize(3).map(Shape::of);
        return Combinators.combine(Arbitraries.of(StoredType.values()), shapes, Arbitraries.longs())
            .as((type, shape, seed) -> {
                byte[] data = new byte[(int) (shape.elements() * type.bytes())];
                new Random(seed).nextBytes(data);
                return new StoredTensor(type, shape, MemorySegment.ofArray(data));
            });
    }
}
