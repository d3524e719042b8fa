package dev.slipstream.pipelines.graph.pipe;

import java.util.ArrayList;
import java.util.List;

/**
 * A band of a picture. Rows are those of tokens, of which each is several rows of latents.
 *
 * @param index from 0, downwards
 * @param first its first row
 * @param rows how many it has
 * @param all how many the picture has
 */
public record Patch(int index, long first, long rows, long all) {
    /** Divides a picture as PipeFusion does: all patches have equally many rows, but the last has what is left. */
    public static List<Patch> of(long rows, int patches) {
        long each = Math.ceilDiv(rows, patches);
        List<Patch> all = new ArrayList<>();
        for (long first = 0; first < rows; first += each) {
            all.add(new Patch(all.size(), first, Math.min(each, rows - first), rows));
        }
        return List.copyOf(all);
    }
}
