package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Conv2d;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The blocks of a U-Net: a way down on which pictures become smaller, a middle, and a way up on which they grow again
 * and read what the way down has left at each size.
 *
 * @param down blocks in the order in which they run
 * @param mid the block in the middle, if there is one
 * @param up blocks in the order in which they run
 * @param downPadding of the convolutions that halve the size
 */
record UNetBlocks(List<UNetBlock> down, Optional<UNetBlock> mid, List<UNetBlock> up, int downPadding) {
    UNetBlocks {
        down = List.copyOf(down);
        up = List.copyOf(up);
    }

    /** Channels of the first level. */
    int width() {
        return down.getFirst().channels();
    }

    boolean attends() {
        return mid.stream().anyMatch(UNetBlock::attends) || down.stream().anyMatch(UNetBlock::attends)
            || up.stream().anyMatch(UNetBlock::attends);
    }

    /**
     * What the way down has made.
     *
     * @param hidden the last of it
     * @param skips what the way up will read, the first first
     */
    record WayDown(Value hidden, List<Value> skips) {
        WayDown {
            skips = List.copyOf(skips);
        }
    }

    WayDown writeDown(Scope root, Value first, UNetLayers layers) {
        List<Value> skips = new ArrayList<>(List.of(first));
        Value hidden = first;
        for (int level = 0; level < down.size(); level++) {
            Scope scope = root.child("down_blocks", level);
            for (int i = 0; i < down.get(level).layers(); i++) {
                hidden = layers.down(scope, hidden, level, i);
                skips.add(hidden);
            }
            if (level < down.size() - 1) {
                hidden = Conv2d.halving(scope.child("downsamplers", 0).child("conv"), hidden,
                    down.get(level).channels(), downPadding);
                skips.add(hidden);
            }
        }
        return new WayDown(hidden, skips);
    }

    Value writeMid(Scope root, Value hidden, UNetLayers layers) {
        return mid.isPresent() ? layers.mid(root.child("mid_block"), hidden, mid.get()) : hidden;
    }

    Value writeUp(Scope root, Value middle, List<Value> skips, UNetLayers layers) {
        Deque<Value> left = new ArrayDeque<>(skips);
        Value hidden = middle;
        for (int level = 0; level < up.size(); level++) {
            Scope scope = root.child("up_blocks", level);
            for (int i = 0; i < up.get(level).layers(); i++) {
                hidden = layers.up(scope, scope.concat(1, hidden, left.removeLast()), level, i);
            }
            if (level < up.size() - 1) {
                // Twice as large, or one pixel less if halving has rounded up.
                Scope upsampler = scope.child("upsamplers", 0);
                Value enlarged = upsampler.enlargeTo(hidden, left.getLast());
                hidden = Conv2d.apply(upsampler.child("conv"), enlarged, up.get(level).channels(), 3);
            }
        }
        return hidden;
    }
}
