package dev.slipstream.pipelines.model.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsHeaderTest {
    private static final Path FILE = Path.of("some.safetensors");
    private static final String GOOD = """
        {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},\
        "b":{"dtype":"F16","shape":[],"data_offsets":[16,18]},\
        "c":{"dtype":"I64","shape":[0],"data_offsets":[18,18]}}""";

    private static SafetensorsHeader parse(String json, long dataBytes) {
        return SafetensorsHeader.parse(FILE, json.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    private static void assertRefused(String json, long dataBytes, String expected) {
        String message = assertThrows(ModelException.class, () -> parse(json, dataBytes)).getMessage();
        assertTrue(message.startsWith("some.safetensors") && message.contains(expected), message);
    }

    @Test
    void readsAGoodHeaderWithSpacesBehindIt() {
        assertEquals(3, parse(GOOD + "   ", 18).entries().size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}                    | 4 bytes, but its data_offsets span 8
        {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}                    | 12 bytes, but its data_offsets span
        {"a":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}                    | element type "F4"
        {"a":{"dtype":7,"shape":[8],"data_offsets":[0,8]}}                        | element type
        {"a":{"dtype":"U8","shape":[8],"data_offsets":[8,0]}}                     | the begin and the end
        {"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8,9]}}                   | the begin and the end
        {"a":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}}                    | else than whole numbers
        {"a":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}}                   | else than whole numbers
        {"a":{"dtype":"U8","shape":["8"],"data_offsets":[0,8]}}                   | else than whole numbers
        {"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,8]}}  | else than whole numbers
        {"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}} | too large to be true
        {"a":{"dtype":"U8","shape":[[8]],"data_offsets":[0,8]}}                   | else than whole numbers
        {"a":{"dtype":"U8","shape":[8]}}                                          | must have dtype, shape
        {"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1}}               | unknown entry "x"
        {"a":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}}        | two entries "dtype"
        {"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}} {}                  | damaged header
        {"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}                      | ends too early
        {"__metadata__":{"a":1},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}} | metadata a is not a text
        {"__metadata__":{},"__metadata__":{}}                                     | two "__metadata__"
        {"__metadata__":{"a":"1","a":"2"}}                                        | two metadata entries a
        []                                                                        | damaged header
        {}                                                                        | the tensors only 0
        {"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}                     | is cut short
        {"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}                     | the one before it ends at 0
        {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}                     | the tensors only 4
        """)
    void refusesHeadersThatDoNotDescribeEightBytesOfData(String json, String expected) {
        assertRefused(json, 8, expected);
    }

    @Test
    void refusesTensorsThatOverlapOrComeTwice() {
        String first = "\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}";
        assertRefused("{" + first + "," + first + "}", 8, "two tensors a");
        assertRefused("{" + first + "," + first.replace("\"a\"", "\"b\"") + "}", 8, "the one before it ends at 8");
        assertRefused("{" + first + ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[6,10]}}", 10,
            "tensor b starts at byte 6");
    }

    @Test
    void aTensorHasAtMost64Dimensions() {
        String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[%s8],\"data_offsets\":[0,8]}}";
        assertEquals(64, parse(header.formatted("1,".repeat(63)), 8).entries().get("a").shape().rank());
        assertRefused(header.formatted("1,".repeat(64)), 8, "more than 64 numbers");
    }

    @Test
    void refusesDeepAndBinaryHeaders() {
        assertRefused("{\"a\":" + "[".repeat(1_000_000), 8, "damaged header");
        assertRefused("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + "1,".repeat(1_000_000) + "8]}}", 8,
            "more than 64 numbers");
        byte[] bytes = {'{', '"', (byte) 0xFF, '"', '}'};
        assertTrue(assertThrows(ModelException.class, () -> SafetensorsHeader.parse(FILE, bytes, 0)).getMessage()
            .contains("not UTF-8"));
    }

    @Test
    void keepsMessagesShortAndFreeOfControlCharacters() {
        String name = "x\\u001b[31m".repeat(1000);
        String message = assertThrows(ModelException.class, () -> parse("{\"" + name + "\":{}}", 0)).getMessage();
        assertTrue(message.length() < 300 && message.chars().noneMatch(Character::isISOControl), message);
    }

    @ParameterizedTest
    @CsvSource({"0", "7", "-1", "9223372036854775807", "100000001", "50000000"})
    void refusesFilesWhoseHeaderCannotBeThere(long length, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("a.safetensors");
        Files.write(file, ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
        assertThrows(ModelException.class, () -> SafetensorsFile.open(file));
        Files.write(file, new byte[(int) Math.floorMod(length, 8L)]);
        assertThrows(ModelException.class, () -> SafetensorsFile.open(file));
    }

    @Test
    void damageIsFoundAndNeverBreaksAnything() {
        int refused = 0;
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] json = GOOD.getBytes(StandardCharsets.UTF_8);
            for (int change = random.nextInt(4); change >= 0; change--) {
                byte[] alphabet = "{}[]\",:0123456789eE-.\\ \u00ff".getBytes(StandardCharsets.ISO_8859_1);
                json[random.nextInt(json.length)] = random.nextBoolean() ? (byte) random.nextInt()
                    : alphabet[random.nextInt(alphabet.length)];
            }
            try {
                SafetensorsHeader.parse(FILE, json, 18);
            } catch (ModelException e) {
                refused++;
            }
        }
        assertTrue(refused > 15_000 && refused < 20_000, refused + " of 20000 were refused");
    }
}
