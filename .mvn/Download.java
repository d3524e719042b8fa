import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Downloads a file and checks it: {@code java Download.java URL FILE SHA512}. Used by mvnw alone. */
final class Download {
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
        HttpResponse<Path> response;
        try {
            response = client.send(HttpRequest.newBuilder(URI.create(args[0])).build(),
                HttpResponse.BodyHandlers.ofFile(file));
        } catch (java.io.IOException unreachable) {
            throw fail(args[0] + " cannot be reached: " + unreachable);
        }
        if (response.statusCode() != 200) {
            throw fail(args[0] + " answered " + response.statusCode());
        }
        byte[] digest = MessageDigest.getInstance("SHA-512").digest(Files.readAllBytes(file));
        if (!HexFormat.of().formatHex(digest).equals(args[2])) {
            throw fail(args[0] + " is not what was expected: its SHA-512 is " + HexFormat.of().formatHex(digest));
        }
    }

    private static Error fail(String message) {
        System.err.println("mvnw: " + message + ". Install Maven 3.8 or later, or set MVNW_REPOURL.");
        System.exit(1);
        return new Error();
    }
}
