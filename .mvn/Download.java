import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Downloads a file, unless it is there already, and checks it: {@code java Download.java URL FILE SHA512}. Used by mvnw
 * alone.
 */
final class Download {
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        if (!Files.exists(file)) {
            download(args[0], file);
        }
        byte[] digest = MessageDigest.getInstance("SHA-512").digest(Files.readAllBytes(file));
        if (!HexFormat.of().formatHex(digest).equals(args[2])) {
            throw fail(file.getFileName() + " is not what was expected: its SHA-512 is "
                + HexFormat.of().formatHex(digest));
        }
    }

    private static void download(String url, Path file) throws InterruptedException {
        HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
        HttpResponse<Path> response;
        try {
            response = client.send(HttpRequest.newBuilder(URI.create(url)).build(),
                HttpResponse.BodyHandlers.ofFile(file));
        } catch (java.io.IOException unreachable) {
            throw fail(url + " cannot be reached: " + unreachable);
        }
        if (response.statusCode() != 200) {
            throw fail(url + " answered " + response.statusCode());
        }
    }

    private static Error fail(String message) {
        System.err.println("mvnw: " + message + ". Install Maven 3.9 or later, or set MVNW_REPOURL.");
        System.exit(1);
        return new Error();
    }
}
