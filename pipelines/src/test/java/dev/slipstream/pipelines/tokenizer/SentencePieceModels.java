package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes spiece.model as google/sentencepiece does. */
public final class SentencePieceModels {
    private SentencePieceModels() {
    }

    /** A file with the pieces of a tokenizer.json of T5's kind, without a character map. */
    public static byte[] of(Path tokenizer) throws IOException {
        JsonArray pieces = JsonParser.parseString(Files.readString(tokenizer)).getAsJsonObject()
            .getAsJsonObject("model").getAsJsonArray("vocab");
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (JsonElement pair : pieces) {
            String text = pair.getAsJsonArray().get(0).getAsString();
            int kind = text.equals("<unk>") ? 2 : text.equals("<pad>") || text.equals("</s>") ? 3 : 1;
            all.writeBytes(message(1, piece(text, pair.getAsJsonArray().get(1).getAsFloat(), kind)));
        }
        all.writeBytes(message(2, number(3, 1)));
        return all.toByteArray();
    }

    interface Writing {
        void to(CodedOutputStream out) throws IOException;
    }

    static byte[] bytes(Writing writing) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            writing.to(out);
            out.flush();
            return bytes.toByteArray();
        } catch (IOException cannotBe) {
            throw new AssertionError(cannotBe);
        }
    }

    static byte[] piece(String text, float score, int kind) {
        return bytes(out -> {
            out.writeString(1, text);
            out.writeFloat(2, score);
            out.writeEnum(3, kind);
        });
    }

    static byte[] number(int field, int value) {
        return bytes(out -> out.writeInt32(field, value));
    }

    static byte[] message(int field, byte[] value) {
        return bytes(out -> out.writeByteArray(field, value));
    }
}
