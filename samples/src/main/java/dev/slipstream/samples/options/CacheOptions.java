package dev.slipstream.samples.options;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.VideoRequest;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.Option;

/** What a request has to do with the cache of latents. */
public final class CacheOptions {
    @Option(names = "--cache", paramLabel = "USE", order = HelpLayout.DEVICES + 7, defaultValue = "off",
        completionCandidates = Uses.class,
        description = "Go on from latents of pictures whose prompts say the same (read), keep those of this one for "
            + "others (write), both (use) or neither (off); changes the picture, and serves only models that "
            + "'slipstream cache calibrate' has measured (${DEFAULT-VALUE}).")
    private String use;

    @Option(names = "--cache-pictures", order = HelpLayout.DEVICES + 10,
        description = "With --cache: keep finished pictures for others, too, and go on from such, with fresh noise on "
            + "them; more steps may be left out then.")
    private boolean pictures;

    @Option(names = "--cache-other-seeds", order = HelpLayout.DEVICES + 11,
        description = "With --cache: go on from pictures of the same prompt with other seeds, too, which makes them "
            + "alike.")
    private boolean otherSeeds;

    @Option(names = "--cache-namespace", paramLabel = "NAME", order = HelpLayout.DEVICES + 8,
        description = "Whose pictures they are, a tenant's for example: 1 to 64 of a-z, 0-9, _ and - (default).")
    private String namespace;

    @Option(names = "--cache-folder", paramLabel = "DIR", order = HelpLayout.DEVICES + 9,
        description = "The folder of the cache. Without it that in the user's cache.")
    private Path folder;

    private static final class Uses implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("off", "read", "write", "use").iterator();
        }
    }

    private CacheUse use() {
        try {
            CacheUse said = CacheUse.parse(use);
            CacheUse some = pictures ? said.withPictures() : said;
            CacheUse wanted = otherSeeds ? some.withOtherSeeds() : some;
            return namespace == null ? wanted : wanted.in(namespace);
        } catch (IllegalArgumentException wrong) {
            throw new InputException(wrong.getMessage() + "; choose another --cache or --cache-namespace", wrong);
        }
    }

    /** Gives the pipeline a cache if one is wanted. @throws InputException if there is no such use or namespace */
    public DiffusionPipeline.Builder apply(DiffusionPipeline.Builder pipeline) {
        if (use().isOff()) {
            return pipeline;
        }
        return pipeline.latentCache(folder == null ? LatentCache.defaultFolder() : folder,
            LatentCache.DEFAULT_MAX_BYTES);
    }

    public ImageRequest apply(ImageRequest request) {
        return request.withCache(use());
    }

    public VideoRequest apply(VideoRequest request) {
        return request.withCache(use());
    }
}
