package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Reads, after a loop, what the guards of a program found. */
final class Guards {
    private final Program program;
    private final Resources resources;
    private final ImpasseNames names;
    private final List<Region> marks;

    Guards(Program program, Resources resources, ImpasseNames names) {
        this.program = program;
        this.resources = resources;
        this.names = names;
        this.marks = program.instructions().stream().filter(Instruction.Guard.class::isInstance)
            .map(Instruction.Guard.class::cast).map(Instruction.Guard::mark).distinct().toList();
    }

    /** @throws BadValueException if one found something; labels are places in the program, so the lowest was first */
    void check() {
        int lowest = Integer.MAX_VALUE;
        for (Region mark : marks) {
            lowest = Math.min(lowest, read(resources.slice(mark)));
        }
        if (lowest < Integer.MAX_VALUE) {
            throw bad((Instruction.Guard) program.instructions().get(lowest));
        }
    }

    private int read(Slice mark) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment label = arena.allocate(ValueLayout.JAVA_INT);
            Stream stream = resources.streamOf(mark.buffer());
            stream.download(mark, label);
            stream.synchronize();
            return label.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private BadValueException bad(Instruction.Guard guard) {
        return new BadValueException(names.stage(guard.stage()) + " on " + names.stream(guard.stream())
            + " made NaN or infinite values in tensor '" + guard.tensor() + "' at step " + (guard.step() + 1) + " of "
            + program.steps() + ", the first of the loop; a wider element type tells whether its range is to blame");
    }
}
