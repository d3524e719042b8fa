package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Job;
import dev.slipstream.pipelines.run.simulate.BubbleFill.Place;
import dev.slipstream.pipelines.run.simulate.BubbleFill;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What each of many waiting requests would take with a plan: one after another, or overlapped, with the text encoders
 * and the decoder of others beside its loop.
 *
 * @param device where text encoders and decoder are, overlapped
 * @param encodeNanos of its prompts
 * @param loopNanos of its loop alone
 * @param decodeNanos of its pictures
 * @param delayNanos that what runs beside the loop takes from it at most: what finds no bubbles
 */
public record QueueForecast(int device, long encodeNanos, long loopNanos, long decodeNanos, long delayNanos) {
    /**
     * @param loop with the plan, alone
     * @param times of the devices, in the plan's order
     */
    public static QueueForecast of(Timeline loop, List<DeviceTimes> times, RequestKeys request) {
        return IntStream.range(0, loop.devices()).mapToObj(device -> of(loop, device, times.get(device), request))
            .min(Comparator.comparingLong(QueueForecast::overlappedNanos)).orElseThrow();
    }

    private static QueueForecast of(Timeline loop, int device, DeviceTimes times, RequestKeys request) {
        long decode = Math.round(request.decoderGraphs().stream().mapToDouble(times::runNanos).sum());
        long encode = Math.round(request.encoderGraphs().stream().mapToDouble(times::runNanos).sum());
        long delay = BubbleFill.of(loop, List.of(new Job("decode", Map.of(device, decode)),
            new Job("encode", Map.of(device, encode)))).stream().mapToLong(Place::delayNanos).sum();
        return new QueueForecast(device, encode, loop.endNanos(), decode, delay);
    }

    /** Of a request where they run one after another. */
    public long aloneNanos() {
        return encodeNanos + loopNanos + decodeNanos;
    }

    /** Of a request where they overlap; no more than one after another, as what does not fit may as well wait. */
    public long overlappedNanos() {
        return Math.min(aloneNanos(), Math.max(loopNanos + delayNanos, encodeNanos + decodeNanos));
    }
}
