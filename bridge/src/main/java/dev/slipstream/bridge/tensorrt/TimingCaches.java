package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineTarget;
import dev.slipstream.bridge.tensorrt.api.BuilderConfig;
import dev.slipstream.bridge.tensorrt.api.TimingCache;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands what a build has measured on a kind of GPU to the next one. No build fails because of it. */
final class TimingCaches {
    private static final Logger LOGGER = LoggerFactory.getLogger(TimingCaches.class);
    private static final byte[] NOTHING = {};

    private final EngineBytes stored;
    private final EngineTarget target;
    private final String compiler;
    private byte[] loaded = NOTHING;

    TimingCaches(EngineBytes stored, EngineTarget target, String compiler) {
        this.stored = stored;
        this.target = target;
        this.compiler = compiler;
    }

    /** Gives a configuration the stored cache; if there is none, or TensorRT refuses it, a new one. */
    TimingCache load(BuilderConfig config) {
        try {
            loaded = stored.timingCache(target, compiler).orElse(NOTHING);
            if (loaded.length > 0) {
                return loaded(config);
            }
        } catch (RuntimeException refused) {
            LOGGER.warn("{}: the stored timing cache is begun anew: {}", target.device(), refused.getMessage());
        }
        loaded = NOTHING;
        return loaded(config);
    }

    /** Stores what a build left in the cache, and what others have stored meanwhile. */
    void save(BuilderConfig config, TimingCache cache) {
        try {
            Optional<byte[]> others = stored.timingCache(target, compiler)
                .filter(bytes -> bytes.length > 0 && !Arrays.equals(bytes, loaded));
            if (others.isPresent()) {
                try (TimingCache other = config.createTimingCache(others.get())) {
                    cache.add(other);
                }
            }
            stored.putTimingCache(target, compiler, cache.serialize());
        } catch (RuntimeException failure) {
            LOGGER.warn("{}: the timing cache is not stored: {}", target.device(), failure.getMessage());
        }
    }

    private TimingCache loaded(BuilderConfig config) {
        TimingCache cache = config.createTimingCache(loaded);
        try {
            config.setTimingCache(cache);
            return cache;
        } catch (DeviceException refused) {
            cache.close();
            throw refused;
        }
    }
}
