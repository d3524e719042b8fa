package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ModelFile.TokenizerFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * T5's tokenizer from its old file, spiece.model, as an equivalent tokenizer.json.
 *
 * <p>Source: the messages of google/sentencepiece (sentencepiece_model.proto), and transformers' conversion of T5's: a
 * Unigram model over words that begin with a visible blank, a token for the end, and tokens that stand for gaps, whose
 * ids follow those of the pieces, the last of them first.
 */
public final class SentencePieces {
    private static final String PIPELINE = """
        {
          "version": "1.0",
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true}]}
        }
        """;
    /** transformers' default. */
    private static final String PADDING = "<pad>";
    /** The largest vocabularies have a third of it. */
    private static final int MOST_BYTES = 16 << 20;
    /** A few more than the largest vocabulary, mT5's. */
    private static final int MOST_PIECES = 1 << 18;
    /** transformers' default for T5's tokens for gaps. */
    private static final int USUAL_GAPS = 100;
    private static final int MOST_GAPS = 1000;

    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int UNUSED = 5;
    private static final int UNIGRAM = 1;

    /** @param kind as the file counts them */
    private record Piece(String text, float score, int kind) {
    }

    /** A part of the file is read. */
    private interface Field {
        /** Reads a field's value, or skips it. */
        void read(int number, int tag) throws IOException;
    }

    private final Path path;
    private final List<Piece> pieces = new ArrayList<>();
    private ByteString characters = ByteString.EMPTY;

    private SentencePieces(Path path) {
        this.path = path;
    }

    /**
     * Reads the file of a folder.
     *
     * @param names of the same folder
     * @throws ModelException if it is damaged, or of a kind that is not supported
     */
    public static ConfigFile read(Path folder, TokenNames names) {
        Path file = TokenizerFile.PIECES.in(folder);
        SentencePieces read = new SentencePieces(file);
        try {
            read.model(CodedInputStream.newInstance(InputFile.bytes(file, MOST_BYTES)));
        } catch (InvalidProtocolBufferException damage) {
            throw new ModelException(file + " is damaged: " + damage.getMessage(), damage);
        } catch (IOException unreadable) {
            throw new ModelException(unreadable.getMessage(), unreadable);
        }
        return read.json(names);
    }

    private void model(CodedInputStream in) throws IOException {
        fields(in, (number, tag) -> {
            switch (number) {
                case 1 -> piece(in.readBytes().newCodedInput());
                case 2 -> training(in.readBytes().newCodedInput());
                case 3 -> normalizer(in.readBytes().newCodedInput());
                default -> in.skipField(tag);
            }
        });
    }

    private static void fields(CodedInputStream in, Field field) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            field.read(WireFormat.getTagFieldNumber(tag), tag);
        }
    }

    private void piece(CodedInputStream in) throws IOException {
        String[] text = {""};
        float[] score = {0};
        int[] kind = {NORMAL};
        fields(in, (number, tag) -> {
            switch (number) {
                case 1 -> text[0] = in.readStringRequireUtf8();
                case 2 -> score[0] = in.readFloat();
                case 3 -> kind[0] = in.readEnum();
                default -> in.skipField(tag);
            }
        });
        if (kind[0] != NORMAL && kind[0] != UNKNOWN && kind[0] != CONTROL && kind[0] != UNUSED) {
            throw refused("a piece of kind " + kind[0]);
        }
        if (!Float.isFinite(score[0])) {
            throw new ModelException(path + " is damaged: the score of a piece is " + score[0]);
        }
        if (pieces.size() == MOST_PIECES) {
            throw new ModelException(path + " has more than " + MOST_PIECES + " pieces");
        }
        pieces.add(new Piece(text[0], score[0], kind[0]));
    }

    private void training(CodedInputStream in) throws IOException {
        fields(in, (number, tag) -> {
            if (number == 3) {
                int kind = in.readEnum();
                if (kind != UNIGRAM) {
                    throw refused("a model of kind " + kind);
                }
            } else if (number == 35 && in.readBool()) {
                throw refused("byte_fallback");
            } else if (number != 35) {
                in.skipField(tag);
            }
        });
    }

    private void normalizer(CodedInputStream in) throws IOException {
        fields(in, (number, tag) -> {
            switch (number) {
                case 2 -> characters = in.readBytes();
                case 3, 4, 5 -> {
                    if (!in.readBool()) {
                        throw refused("text in which blanks are kept as they are");
                    }
                }
                default -> in.skipField(tag);
            }
        });
    }

    private ModelException refused(String what) {
        return new ModelException(path + " has " + what + ", which T5's tokenizers have not; write it as "
            + "tokenizer.json with transformers: T5TokenizerFast.from_pretrained(FOLDER).save_pretrained(FOLDER)");
    }

    private ConfigFile json(TokenNames names) {
        JsonObject root = JsonParser.parseString(PIPELINE).getAsJsonObject();
        if (!characters.isEmpty()) {
            JsonObject map = new JsonObject();
            map.addProperty("type", "Precompiled");
            map.addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(characters.toByteArray()));
            root.add("normalizer", map);
        }
        String end = names.name("eos_token").orElse("</s>");
        JsonObject processor = new JsonObject();
        processor.addProperty("type", "TemplateProcessing");
        processor.add("single", JsonParser.parseString("[{\"Sequence\": {\"id\": \"A\"}}, {\"SpecialToken\": {\"id\": "
            + new JsonPrimitive(end) + "}}]"));
        JsonObject ids = new JsonObject();
        ids.add("ids", array(new JsonPrimitive(id(end))));
        JsonObject special = new JsonObject();
        special.add(end, ids);
        processor.add("special_tokens", special);
        root.add("post_processor", processor);
        pieces.stream().map(Piece::text).filter(PADDING::equals).findFirst().ifPresent(any -> {
            JsonObject padding = new JsonObject();
            padding.addProperty("pad_id", id(PADDING));
            root.add("padding", padding);
        });
        addModel(root, names);
        return new ConfigFile(path, root);
    }

    private void addModel(JsonObject root, TokenNames names) {
        JsonArray vocabulary = new JsonArray();
        JsonArray added = new JsonArray();
        JsonObject model = new JsonObject();
        for (Piece piece : pieces) {
            if (piece.kind() == UNKNOWN) {
                model.addProperty("unk_id", vocabulary.size());
            }
            if (piece.kind() == UNKNOWN || piece.kind() == CONTROL) {
                added.add(added(piece.text(), vocabulary.size()));
            }
            vocabulary.add(array(new JsonPrimitive(piece.text()), new JsonPrimitive(piece.score())));
        }
        int gaps = names.files().stream().map(file -> file.element("extra_ids")
            .map(count -> file.index("extra_ids", count))).flatMap(Optional::stream).findFirst().orElse(USUAL_GAPS);
        for (int gap = Math.min(gaps, MOST_GAPS) - 1; gap >= 0; gap--) {
            added.add(added("<extra_id_" + gap + ">", vocabulary.size()));
            vocabulary.add(array(new JsonPrimitive("<extra_id_" + gap + ">"), new JsonPrimitive(0)));
        }
        model.addProperty("type", "Unigram");
        model.add("vocab", vocabulary);
        root.add("model", model);
        root.add("added_tokens", added);
    }

    private int id(String token) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).text().equals(token)) {
                return id;
            }
        }
        throw new ModelException(path + " has no piece " + token);
    }

    private static JsonArray array(JsonPrimitive... values) {
        JsonArray array = new JsonArray();
        for (JsonPrimitive value : values) {
            array.add(value);
        }
        return array;
    }

    private static JsonObject added(String content, int id) {
        JsonObject token = new JsonObject();
        token.addProperty("id", id);
        token.addProperty("content", content);
        token.addProperty("special", true);
        return token;
    }
}
