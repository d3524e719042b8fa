package dev.slipstream.samples.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.slipstream.bridge.file.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A hub of one model, as far as fetching goes; it notes what is asked of it. */
final class StandInHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final int LARGE = 1000;

    final Map<String, byte[]> files = new TreeMap<>();
    final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    /** After so many bytes connections end; never if negative. */
    volatile int cutAfter = -1;
    /** Files whose bytes are others than it says. */
    volatile String damaged = "";
    /** Without it nothing is given. */
    volatile String token = "";
    private final HttpServer server;
    /** Where large files really are, which must not see the token. */
    private final HttpServer elsewhere;

    StandInHub() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        elsewhere = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/models/org/name/revision/", this::revision);
        server.createContext("/org/name/resolve/" + COMMIT + "/", this::resolve);
        elsewhere.createContext("/", this::blob);
        server.start();
        elsewhere.start();
    }

    String endpoint() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    void put(String path, String text) {
        files.put(path, text.getBytes(StandardCharsets.UTF_8));
    }

    private void revision(HttpExchange exchange) throws IOException {
        if (!mayAsk(exchange)) {
            return;
        }
        JsonObject root = new JsonObject();
        root.addProperty("sha", COMMIT);
        JsonObject card = new JsonObject();
        card.addProperty("license", "openrail++");
        root.add("cardData", card);
        JsonArray siblings = new JsonArray();
        files.forEach((path, bytes) -> {
            JsonObject file = new JsonObject();
            file.addProperty("rfilename", path);
            file.addProperty("size", bytes.length);
            file.addProperty("blobId", gitHash(bytes));
            if (bytes.length > LARGE) {
                JsonObject lfs = new JsonObject();
                lfs.addProperty("sha256", Sha256.of(ByteBuffer.wrap(bytes)));
                lfs.addProperty("size", bytes.length);
                file.add("lfs", lfs);
            }
            siblings.add(file);
        });
        root.add("siblings", siblings);
        answer(exchange, 200, root.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String gitHash(byte[] bytes) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-1");
            sha.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(sha.digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private void resolve(HttpExchange exchange) throws IOException {
        if (!mayAsk(exchange)) {
            return;
        }
        String path = exchange.getRequestURI().getPath().substring(("/org/name/resolve/" + COMMIT + "/").length());
        byte[] bytes = files.get(path);
        if (bytes == null) {
            answer(exchange, 404, new byte[0]);
        } else if (bytes.length > LARGE) {
            exchange.getResponseHeaders().add("Location", "http://localhost:" + elsewhere.getAddress().getPort() + "/"
                + path);
            answer(exchange, 302, new byte[0]);
        } else {
            asked.add(path);
            answer(exchange, 200, bytes);
        }
    }

    private void blob(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring(1);
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (exchange.getRequestHeaders().containsKey("Authorization")) {
            asked.add("token for " + path);
        }
        byte[] bytes = files.get(path).clone();
        if (path.equals(damaged)) {
            bytes[bytes.length / 2] ^= 1;
        }
        asked.add(path + (range == null ? "" : " " + range));
        int begin = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        if (begin > 0) {
            exchange.getResponseHeaders().add("Content-Range", "bytes " + begin + "-" + (bytes.length - 1) + "/"
                + bytes.length);
        }
        byte[] rest = Arrays.copyOfRange(bytes, begin, bytes.length);
        exchange.sendResponseHeaders(begin > 0 ? 206 : 200, rest.length);
        OutputStream out = exchange.getResponseBody();
        if (cutAfter >= 0 && rest.length > cutAfter) {
            out.write(rest, 0, cutAfter);
            out.flush();
            cutAfter = -1;
            // Ends the connection, as the answer is not whole.
            exchange.close();
            return;
        }
        out.write(rest);
        exchange.close();
    }

    private boolean mayAsk(HttpExchange exchange) throws IOException {
        if (!token.isEmpty() && !("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            answer(exchange, 401, new byte[0]);
            return false;
        }
        return true;
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
        elsewhere.stop(0);
    }
}
