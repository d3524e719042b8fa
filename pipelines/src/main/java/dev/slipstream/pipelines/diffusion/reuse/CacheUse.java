package dev.slipstream.pipelines.diffusion.reuse;

import dev.slipstream.pipelines.cache.CacheKey;
import java.util.Objects;

/**
 * What a request has to do with a cache of latents. Going on from another's latents changes the picture, so nothing is
 * done unless it is asked for.
 *
 * @param reads whether it may go on from latents of another request
 * @param writes whether its latents are kept for others
 * @param otherSeeds whether a picture of the same prompt with another seed may serve, which makes the two alike
 * @param pictures whether finished pictures are kept, too, and may serve: with the request's own noise on them, as
 *     image to image does, so that another seed gives another picture, and more steps may be left out
 * @param namespace whose pictures they are, a tenant's for example: 1 to 64 of {@code a-z 0-9 _ -}
 */
public record CacheUse(boolean reads, boolean writes, boolean otherSeeds, boolean pictures,
    String namespace) {
    public static final CacheUse OFF = new CacheUse(false, false, false, false, CacheKey.DEFAULT_NAMESPACE);
    public static final CacheUse READ = new CacheUse(true, false, false, false, CacheKey.DEFAULT_NAMESPACE);
    public static final CacheUse WRITE = new CacheUse(false, true, false, false, CacheKey.DEFAULT_NAMESPACE);
    /** Both. */
    public static final CacheUse USE = new CacheUse(true, true, false, false, CacheKey.DEFAULT_NAMESPACE);

    /** @throws IllegalArgumentException if the namespace is no such name */
    public CacheUse {
        CacheKey.checkNamespace(namespace);
    }

    /** @param name {@code off}, {@code read}, {@code write} or {@code use} */
    public static CacheUse parse(String name) {
        return switch (Objects.requireNonNull(name, "name")) {
            case "off" -> OFF;
            case "read" -> READ;
            case "write" -> WRITE;
            case "use" -> USE;
            default -> throw new IllegalArgumentException("a cache of latents is off, read, write or use, not '" + name
                + "'");
        };
    }

    /** The same for another namespace. */
    public CacheUse in(String other) {
        return new CacheUse(reads, writes, otherSeeds, pictures, other);
    }

    /** The same, where the same prompt with other seeds may serve. */
    public CacheUse withOtherSeeds() {
        return new CacheUse(reads, writes, true, pictures, namespace);
    }

    /** The same, where finished pictures are kept, too, and may serve. */
    public CacheUse withPictures() {
        return new CacheUse(reads, writes, otherSeeds, true, namespace);
    }

    public boolean isOff() {
        return !reads && !writes;
    }
}
