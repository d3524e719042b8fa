package dev.slipstream.pipelines.graph.fusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What a product of an attention reads, traced back to a tensor that holds the heads side by side.
 *
 * @param source the tensor; in memory, it is [rows, tokens, heads · width]
 * @param factor what the operand is multiplied by on the way
 */
record HeadsOperand(String source, HeadsLayout layout, double factor) {
    /**
     * The farthest such source of an operand [.., tokens, width]; empty if there is none.
     *
     * @param turned whether the operand is [.., width, tokens], as keys are
     */
    static Optional<HeadsOperand> trace(String operand, boolean turned, FixedTensors tensors) {
        List<ViewStep> steps = new ArrayList<>();
        Optional<ViewStep> next = ViewStep.to(operand, tensors);
        while (next.isPresent()) {
            steps.add(next.get());
            next = ViewStep.to(next.get().input(), tensors);
        }
        for (int taken = steps.size(); taken >= 0; taken--) {
            List<ViewStep> path = steps.subList(0, taken);
            String source = taken == 0 ? operand : path.getLast().input();
            Optional<HeadsLayout> layout = tensors.dims(source).map(StridedView::of)
                .flatMap(view -> through(path, view)).filter(view -> view.axes().size() > 1)
                .map(view -> turned ? turned(view) : view).flatMap(HeadsLayout::of);
            if (layout.isPresent()) {
                double factor = path.stream().mapToDouble(ViewStep::factor).reduce(1, (a, b) -> a * b);
                return Optional.of(new HeadsOperand(source, layout.get(), factor));
            }
        }
        return Optional.empty();
    }

    /** @param path from the operand to its source */
    private static Optional<StridedView> through(List<ViewStep> path, StridedView source) {
        Optional<StridedView> view = Optional.of(source);
        for (ViewStep step : path.reversed()) {
            view = view.flatMap(step::apply);
        }
        return view;
    }

    private static StridedView turned(StridedView view) {
        List<List<StridedView.Factor>> axes = new ArrayList<>(view.axes());
        Collections.swap(axes, axes.size() - 2, axes.size() - 1);
        return new StridedView(axes);
    }
}
