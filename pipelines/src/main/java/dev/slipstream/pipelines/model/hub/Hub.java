package dev.slipstream.pipelines.model.hub;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A Hugging Face hub: {@code HF_ENDPOINT}, else the public one. What it answers is not trusted. The user's token
 * ({@code HF_TOKEN}, else the file {@code token} in {@code HF_HOME}) goes to the hub's own address only, not to where
 * it sends downloads.
 *
 * @param endpoint without a slash at the end
 * @param token empty for a user who has none
 */
public record Hub(URI endpoint, Optional<String> token, HttpClient client) implements AutoCloseable {
    private static final String PUBLIC = "https://huggingface.co";
    private static final Duration LONGEST = Duration.ofSeconds(60);
    private static final int LONGEST_TOKEN = 1000;
    private static final int MOST_REDIRECTS = 8;
    private static final int MOST_ANSWER = 64 << 20;
    private static final int MOST_FILES = 100_000;
    private static final int REDIRECTED = 300;
    private static final int WRONG = 400;

    /** @param environment variables of the process */
    static Hub of(Map<String, String> environment) {
        String endpoint = Optional.ofNullable(environment.get("HF_ENDPOINT")).filter(it -> !it.isBlank())
            .orElse(PUBLIC).replaceFirst("/+$", "");
        URI uri;
        try {
            uri = URI.create(endpoint);
        } catch (IllegalArgumentException e) {
            throw new ModelException("HF_ENDPOINT is " + endpoint + ", which is no address", e);
        }
        if (uri.getHost() == null || !(("https").equals(uri.getScheme()) || "http".equals(uri.getScheme()))) {
            throw new ModelException("HF_ENDPOINT is " + endpoint + ", which is no address of a hub");
        }
        return new Hub(uri, token(environment), HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(LONGEST).build());
    }

    private static Optional<String> token(Map<String, String> environment) {
        Optional<String> said = Optional.ofNullable(environment.get("HF_TOKEN")).map(String::strip)
            .filter(it -> !it.isEmpty());
        if (said.isPresent()) {
            return said;
        }
        Path file = Optional.ofNullable(environment.get("HF_TOKEN_PATH")).map(Path::of)
            .orElseGet(() -> HubFolder.home(environment).resolve("token"));
        try {
            return Files.isRegularFile(file)
                ? Optional.of(InputFile.text(file, LONGEST_TOKEN).strip()).filter(it -> !it.isEmpty())
                : Optional.empty();
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /**
     * A file of a repository.
     *
     * @param size in bytes
     * @param hash of its contents: SHA-256 for large ones, git's SHA-1 for others
     */
    record RemoteFile(long size, String hash) {
        boolean isLarge() {
            return hash.length() == 64;
        }
    }

    /**
     * A repository at a commit.
     *
     * @param commit 40 hexadecimal digits
     * @param licence as it calls it; empty if it says none
     * @param files by their paths
     */
    record Revision(String commit, String licence, Map<String, RemoteFile> files) {
    }

    /** @throws ModelException if there is no such model, or the user may not have it */
    Revision revision(HubModel model) throws IOException, InterruptedException {
        URI address = address("/api/models/" + model.repository() + "/revision/" + encoded(model.revision())
            + "?blobs=true");
        try (InputStream in = get(address, 0, model).body()) {
            byte[] answer = in.readNBytes(MOST_ANSWER);
            if (JsonText.parse(new String(answer, StandardCharsets.UTF_8)) instanceof JsonObject root) {
                return revision(root);
            }
            throw new JsonParseException("no object");
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
            throw new ModelException(endpoint + " says of " + model + " what no hub says", e);
        }
    }

    private static Revision revision(JsonObject root) {
        String commit = text(root, "sha").filter(it -> it.matches("[0-9a-f]{40}"))
            .orElseThrow(() -> new JsonParseException("no commit"));
        Map<String, RemoteFile> files = new LinkedHashMap<>();
        if (!(root.get("siblings") instanceof JsonArray siblings) || siblings.size() > MOST_FILES) {
            throw new JsonParseException("no files");
        }
        for (JsonElement element : siblings) {
            JsonObject file = element.getAsJsonObject();
            String path = text(file, "rfilename").filter(Hub::isPlain).orElse("");
            Optional<JsonObject> lfs = Optional.ofNullable(file.get("lfs")).filter(JsonElement::isJsonObject)
                .map(JsonElement::getAsJsonObject);
            Optional<String> hash = lfs.flatMap(it -> text(it, "sha256").or(() -> text(it, "oid")))
                .or(() -> text(file, "blobId")).map(it -> it.toLowerCase(Locale.ROOT))
                .filter(it -> it.matches("[0-9a-f]{40}|[0-9a-f]{64}"));
            long size = lfs.map(it -> it.get("size")).or(() -> Optional.ofNullable(file.get("size")))
                .map(JsonElement::getAsLong).orElse(-1L);
            // What cannot be checked, or has a name that leads elsewhere, is not there.
            if (!path.isEmpty() && hash.isPresent() && size >= 0) {
                files.put(path, new RemoteFile(size, hash.get()));
            }
        }
        return new Revision(commit, licence(root), files);
    }

    private static String licence(JsonObject root) {
        Optional<String> card = root.get("cardData") instanceof JsonObject data
            ? text(data, "license_name").or(() -> text(data, "license"))
                .map(name -> name + text(data, "license_link").map(link -> " (" + link + ")").orElse(""))
            : Optional.empty();
        return card.or(() -> root.get("tags") instanceof JsonArray tags ? tags.asList().stream()
            .filter(JsonElement::isJsonPrimitive).map(JsonElement::getAsString)
            .filter(tag -> tag.startsWith("license:")).map(tag -> tag.substring("license:".length())).findFirst()
            : Optional.empty()).orElse("");
    }

    private static Optional<String> text(JsonObject object, String key) {
        return Optional.ofNullable(object.get(key)).filter(JsonElement::isJsonPrimitive).map(JsonElement::getAsString);
    }

    /** Whether a path stays in its folder on every system. */
    private static boolean isPlain(String path) {
        return path.length() <= 1000 && path.matches("[\\w.+ @=,()\\[\\]-]+(/[\\w.+ @=,()\\[\\]-]+)*")
            && Arrays.stream(path.split("/")).noneMatch(part -> part.matches("\\.+"));
    }

    /**
     * Begins to fetch a file.
     *
     * @param begin the first byte that is wanted
     * @return its status is 206 if the answer begins there, 200 if at the beginning of the file
     */
    HttpResponse<InputStream> file(HubModel model, String commit, String path, long begin)
        throws IOException, InterruptedException {
        return get(address("/" + model.repository() + "/resolve/" + commit + "/"
            + Arrays.stream(path.split("/")).map(Hub::encoded).collect(Collectors.joining("/"))), begin, model);
    }

    private URI address(String path) {
        return URI.create(endpoint + path);
    }

    private static String encoded(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Follows redirections itself, so that the token does not go along. */
    private HttpResponse<InputStream> get(URI first, long begin, HubModel model)
        throws IOException, InterruptedException {
        URI address = first;
        for (int redirects = 0; redirects < MOST_REDIRECTS; redirects++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(LONGEST)
                .header("User-Agent", "slipstream");
            boolean isHub = address.getHost().equalsIgnoreCase(endpoint.getHost())
                && address.getPort() == endpoint.getPort() && endpoint.getScheme().equals(address.getScheme());
            token.filter(it -> isHub).ifPresent(it -> request.header("Authorization", "Bearer " + it));
            if (begin > 0) {
                request.header("Range", "bytes=" + begin + "-");
            }
            HttpResponse<InputStream> response = client.send(request.build(),
                HttpResponse.BodyHandlers.ofInputStream());
            int status = response.statusCode();
            if (status < REDIRECTED || status == 416) {
                return response;
            }
            response.body().close();
            if (status >= WRONG) {
                throw refused(status, address, model);
            }
            address = next(address, response);
        }
        throw new IOException(first + " leads from one address to another without end");
    }

    private URI next(URI address, HttpResponse<InputStream> response) throws IOException {
        try {
            URI next = address.resolve(URI.create(response.headers().firstValue("Location").orElse("")));
            boolean isSafe = "https".equals(next.getScheme()) || "http".equals(endpoint.getScheme())
                && "http".equals(next.getScheme());
            if (next.getHost() != null && isSafe) {
                return next;
            }
        } catch (IllegalArgumentException bad) {
            // Said below.
        }
        throw new IOException(address + " leads to no address that is followed");
    }

    private IOException refused(int status, URI address, HubModel model) {
        String page = endpoint + "/" + model.repository();
        return switch (status) {
            case 401, 403 -> throw new ModelException("the hub does not give " + model + " to "
                + (token.isPresent() ? "this user" : "somebody unknown") + " (" + status
                + "); accept its conditions at " + page + " and set HF_TOKEN to a token of yours");
            case 404 -> throw new ModelException("the hub has no " + model + " (404 for " + address
                + "); look at " + page + " for its name and revisions");
            default -> new IOException(address + " answers " + status);
        };
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
