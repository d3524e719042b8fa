package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.contract.TestModels;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;

/** The ring of commands: order, room, and what it holds on to. The test is both the caller and the worker. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class CommandQueueTest {
    private static final DeviceLostException LOST = new DeviceLostException("gone");

    private final CommandQueue queue = new CommandQueue();

    @Test
    void commandsAreTakenInTheOrderInWhichTheyWereQueued() {
        List<Command> queued = new ArrayList<>();
        for (int round = 0; round < 3 * CommandQueue.CAPACITY; round++) {
            queued.add(queue());
            queued.add(queue());
            assertSame(queued.removeFirst(), finishNext());
            assertSame(queued.removeFirst(), finishNext());
        }
        assertEquals(6L * CommandQueue.CAPACITY, queue.end());
    }

    @Test
    void aQueueHasRoomForItsCapacityAndForOneMoreOnceOneIsDone() {
        for (int count = 0; count < CommandQueue.CAPACITY; count++) {
            queue();
        }
        finishNext();
        queue();
        assertEquals(CommandQueue.CAPACITY + 1, queue.end());
    }

    /** It is woken for a quarter of the queue rather than for each command. */
    @Test
    void aCallerWhoFindsTheQueueFullSleepsUntilAQuarterIsDone() throws Exception {
        for (int count = 0; count < CommandQueue.CAPACITY; count++) {
            queue();
        }
        FutureTask<Command> more = new FutureTask<>(this::queue);
        Thread caller = Thread.ofPlatform().daemon().start(more);
        awaitSleep(caller);
        for (int count = 0; count < CommandQueue.CAPACITY / 4 - 1; count++) {
            finishNext();
        }
        awaitSleep(caller);
        assertFalse(more.isDone());
        assertEquals(CommandQueue.CAPACITY, queue.end());
        finishNext();
        more.get();
        assertEquals(CommandQueue.CAPACITY + 1, queue.end());
    }

    @Test
    void drainingWaitsForAllThatIsQueued() throws Exception {
        queue();
        queue();
        FutureTask<Void> drained = new FutureTask<>(queue::drain, null);
        Thread caller = Thread.ofPlatform().daemon().start(drained);
        finishNext();
        awaitSleep(caller);
        assertFalse(drained.isDone());
        finishNext();
        drained.get();
        queue.drain();
    }

    @Test
    void anAbandonedQueueGivesItsWorkerNothingAndItsCallersTheReason() {
        queue();
        queue.abandon(LOST);
        assertNull(queue.take());
        DeviceLostException told = assertThrows(DeviceLostException.class, queue::drain);
        assertEquals("gone", told.getMessage());
        assertNotSame(LOST, told, "each caller has an exception of its own");
        while (queue.end() < CommandQueue.CAPACITY) {
            queue();
        }
        assertThrows(DeviceLostException.class, this::queue);
    }

    @Test
    void anAbandonedWorkerWakes() throws Exception {
        FutureTask<Command> taken = new FutureTask<>(queue::take);
        Thread worker = Thread.ofPlatform().daemon().start(taken);
        awaitSleep(worker);
        queue.abandon(LOST);
        assertNull(taken.get());
    }

    /** What a slot named could not be collected otherwise before the slot is used again. */
    @Test
    void aFinishedCommandNamesNothing() throws Exception {
        Command command = queue.claim(Command.Operation.COPY);
        try (Device device = new CpuProvider().open(DeviceSpec.parse("cpu"));
                Buffer buffer = device.allocate(1 << 20); CpuEvent event = (CpuEvent) device.newEvent();
                Engine engine = device.build(EngineSource.of("identity", TestModels.identity(DataType.FLOAT, 1)));
                ExecutionContext context = engine.newContext()) {
            Tensor one = new Tensor(buffer.slice(0, 4), engine.inputs().get("x"));
            command.bindings = (CpuBindings) context.bind(Map.of("x", one, "y", new Tensor(buffer.slice(4, 4),
                one.type())));
            command.from = MemorySegment.NULL;
            command.to = MemorySegment.NULL;
            command.combination = new Combination(one.slice(), List.of(one.slice()), List.of(1f));
            command.rescale = new GuidanceRescale(one.slice(), one.slice(), one.slice(),
                buffer.slice(8, GuidanceRescale.workBytes(1)), 1, 0);
            command.limiting = new Limiting(one.slice(), one.slice(), 1, new Limit.Clamp(1));
            command.change = new RelativeChange(one.slice(), buffer.slice(4, 4), buffer.slice(8, 4),
                buffer.slice(16, RelativeChange.WORK_BYTES));
            command.checked = one;
            command.mark = buffer.slice(4, 4);
            command.progress = new Progress();
            command.outcome = new Outcome();
            command.event = event;
            assertEquals(Set.of(), named(command, false));
            queue.publish();
            queue.finish(queue.take());
            assertEquals(Set.of(), named(command, true));
        }
    }

    /** The fields that name an object, or those that do not. */
    private static Set<String> named(Command command, boolean one) throws IllegalAccessException {
        Set<String> names = new HashSet<>();
        for (Field field : Command.class.getDeclaredFields()) {
            boolean isObject = !field.getType().isPrimitive() && !field.getType().isEnum();
            boolean isFilled = (field.getModifiers() & (Modifier.STATIC | Modifier.FINAL)) == 0;
            if (isObject && isFilled && field.get(command) != null == one) {
                names.add(field.getName());
            }
        }
        return names;
    }

    @Test
    void aFailureIsForgottenWithItsOutcome() {
        Outcome first = queue.outcome();
        first.fail(3, LOST);
        assertNull(first.failureBefore(3), "work before it is done");
        assertSame(LOST, first.failureBefore(4));
        queue.renewOutcome();
        assertFalse(queue.outcome().isFailed());
        assertNull(queue.outcome().failureBefore(4));
        assertSame(LOST, first.failure(), "who asked before still has it");
    }

    private Command queue() {
        Command command = queue.claim(Command.Operation.STAMP);
        queue.publish();
        return command;
    }

    private Command finishNext() {
        Command command = queue.take();
        queue.finish(command);
        return command;
    }

    private static void awaitSleep(Thread thread) {
        while (!(LockSupport.getBlocker(thread) instanceof Progress)) {
            Thread.onSpinWait();
        }
    }
}
