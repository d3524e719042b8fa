package dev.slipstream.pipelines.model.original;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.TensorView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntBinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How one module of the original implementations names its tensors, as a table in a resource. A line under {@code keys}
 * has a name there, the name in diffusers, and what happens to the tensor on the way:
 *
 * <pre>
 *     {i}        a number; {n-1/P} computes with it, from left to right
 *     *          the rest of the name
 *     &lt;resnet&gt;   each of the pairs of names under "names resnet"
 *     [a,b:4]    the tensor's rows in parts, of one share and four
 *     -          not needed
 *     squeeze    without dimensions of 1 at the end     transpose   rows and columns exchanged
 *     swap       second half of the rows first          spare       only if nothing else has the name
 * </pre>
 *
 * Above them stand the part of a model that the module is, prefixes that its names may have, names that are there in
 * each such file, and numbers that the file's names say: {@code let B last blocks.{}.weight}. The first line that fits
 * a name counts.
 *
 * @param id the table's name
 * @param parts what it is, the first that applies
 * @param prefixes in the order in which they are looked for
 * @param needs names without prefix by which it is recognised
 * @param lets numbers that names say
 * @param identities a matrix of ones and zeros under a name, as wide as a tensor is, where the file has none
 */
record KeyMap(String id, List<Part> parts, List<String> prefixes, List<String> needs, List<Let> lets, List<Rule> rules,
    Map<String, String> identities) {

    /**
     * A part of a model.
     *
     * @param folder where diffusers has it
     * @param className what it is there
     * @param with the module that must be in the same file for that; empty if none must
     */
    record Part(String folder, String className, Optional<String> with) {
    }

    /** A number: the first or last that stands in names of the form. */
    record Let(String name, boolean isFirst, Pattern form) {
        /** Of levels that never end. */
        private static final int NONE = 1_000_000;

        int value(Set<String> names) {
            var numbers = names.stream().map(form::matcher).filter(Matcher::matches)
                .mapToInt(match -> Integer.parseInt(match.group(1)));
            int value = isFirst ? numbers.min().orElse(NONE) : numbers.max().orElse(NONE);
            return value == 0 && isFirst ? NONE : value;
        }
    }

    /** What becomes of a tensor. */
    enum Operation { NONE, SQUEEZE, TRANSPOSE, SWAP, SPARE, IGNORE }

    /**
     * A line of the table.
     *
     * @param targets names in diffusers, of which each has its share of the rows
     * @param shares as many
     */
    record Rule(String original, List<String> targets, List<Integer> shares, Operation operation) {
    }

    /**
     * The tensors of a module under diffusers' names.
     *
     * @param ignored names in the file of what is not needed
     * @param unknown names in the file that no line knows
     */
    record Mapped(Map<String, TensorView> views, List<String> ignored, List<String> unknown) {
    }

    /** The prefix with which names of the module stand in a file; empty if it is not there. */
    Optional<String> prefixIn(Set<String> names) {
        return prefixes.stream().filter(prefix -> needs.stream().allMatch(name -> names.contains(prefix + name)))
            .findFirst();
    }

    /**
     * @param source what messages call the file
     * @param shapes of the module's tensors by their names in the file
     * @param prefix of these names
     * @throws ModelException if a tensor has no shape that the table expects, or two have one name in diffusers
     */
    Mapped map(String source, Map<String, Shape> shapes, String prefix) {
        Map<String, Shape> named = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> named.put(name.substring(prefix.length()), shape));
        Names names = new Names(this, named.keySet());
        Mapped mapped = new Mapped(new LinkedHashMap<>(), new ArrayList<>(), new ArrayList<>());
        Map<String, TensorView> spare = new LinkedHashMap<>();
        named.forEach((name, shape) -> names.find(name).ifPresentOrElse(found -> {
            if (found.rule().operation() == Operation.IGNORE) {
                mapped.ignored.add(prefix + name);
                return;
            }
            boolean isSpare = found.rule().operation() == Operation.SPARE;
            new Arrangement(source, prefix + name, shape).views(found).forEach((target, view) -> {
                TensorView other = (isSpare ? spare : mapped.views).putIfAbsent(target, view);
                if (other != null) {
                    throw new ModelException(source + " has " + other.tensor() + " and " + prefix + name
                        + ", which both are " + target);
                }
            });
        }, () -> mapped.unknown.add(prefix + name)));
        spare.forEach((target, view) -> {
            if (mapped.views.putIfAbsent(target, view) != null) {
                mapped.ignored.add(view.tensor());
            }
        });
        identities.forEach((target, like) -> {
            if (!mapped.views.containsKey(target) && named.containsKey(like)) {
                long width = named.get(like).dim(0);
                mapped.views.put(target, new TensorView.Identity(prefix + like, Shape.of(width, width)));
            }
        });
        return mapped;
    }

    /** A tensor on its way: its name in the file and what is made of it. */
    private record Arrangement(String source, String tensor, Shape shape) {
        Map<String, TensorView> views(Names.Found found) {
            Rule rule = found.rule();
            Map<String, TensorView> views = new LinkedHashMap<>();
            if (rule.targets().size() == 1) {
                views.put(found.target(0), view(rule.operation()));
                return views;
            }
            int total = rule.shares().stream().mapToInt(Integer::intValue).sum();
            long first = 0;
            for (int i = 0; i < rule.targets().size(); i++) {
                long rows = rows(total) / total * rule.shares().get(i);
                long[] dims = shape.toArray();
                long row = shape.elements() / dims[0];
                dims[0] = rows;
                views.put(found.target(i), new TensorView.Runs(tensor, Shape.of(dims),
                    List.of(new TensorView.Run(first * row, rows * row))));
                first += rows;
            }
            return views;
        }

        private TensorView view(Operation operation) {
            return switch (operation) {
                case TRANSPOSE -> {
                    if (shape.rank() != 2) {
                        throw wrong("is no matrix");
                    }
                    yield new TensorView.Transposed(tensor, Shape.of(shape.dim(1), shape.dim(0)));
                }
                case SWAP -> {
                    rows(2);
                    long half = shape.elements() / 2;
                    yield new TensorView.Runs(tensor, shape,
                        List.of(new TensorView.Run(half, half), new TensorView.Run(0, half)));
                }
                case SQUEEZE -> TensorView.Runs.whole(tensor, squeezed());
                default -> TensorView.Runs.whole(tensor, shape);
            };
        }

        private Shape squeezed() {
            boolean points = shape.rank() == 4 && shape.dim(2) == 1 && shape.dim(3) == 1;
            return points ? Shape.of(shape.dim(0), shape.dim(1)) : shape;
        }

        /** How many rows there are, which {@code parts} of equal size are made of. */
        private long rows(int parts) {
            if (shape.rank() == 0 || shape.dim(0) == 0 || shape.dim(0) % parts != 0) {
                throw wrong("should have rows for " + parts + " equal parts");
            }
            return shape.dim(0);
        }

        private ModelException wrong(String complaint) {
            return new ModelException(source + ": " + tensor + " " + shape + " " + complaint);
        }
    }

    /** The lines of a table with the numbers that the names of a file say. */
    record Names(List<Compiled> lines) {
        private static final Pattern BRACES = Pattern.compile("\\{([^}]*)}");
        private static final Pattern TERM = Pattern.compile("([-+/%]?)(\\w+)");
        private static final Map<String, IntBinaryOperator> OPERATORS = Map.of("", (left, right) -> right,
            "+", Integer::sum, "-", (left, right) -> left - right, "/", (left, right) -> left / right,
            "%", (left, right) -> left % right);

        /** A line whose numbers are known, but for those of a name. */
        record Compiled(Rule rule, Pattern pattern, Map<String, Integer> lets) {
        }

        /** A line that fits a name. */
        record Found(Rule rule, Function<String, String> fill) {
            /** The name in diffusers of a share of the tensor. */
            String target(int share) {
                return fill.apply(rule.targets().get(share));
            }
        }

        Names(KeyMap map, Set<String> names) {
            this(compiled(map, names));
        }

        private static List<Compiled> compiled(KeyMap map, Set<String> names) {
            Map<String, Integer> lets = new LinkedHashMap<>();
            map.lets.forEach(let -> lets.put(let.name, let.value(names)));
            return map.rules.stream().map(rule -> new Compiled(rule, pattern(rule.original, lets), lets)).toList();
        }

        /** @param lets numbers that stand for themselves; others are any */
        static Pattern pattern(String template, Map<String, Integer> lets) {
            StringBuilder regex = new StringBuilder();
            Matcher braces = BRACES.matcher(template);
            int at = 0;
            while (braces.find()) {
                regex.append(literal(template.substring(at, braces.start())));
                String name = braces.group(1);
                regex.append(lets.containsKey(name) ? lets.get(name) : "(?<" + name + ">\\d{1,4})");
                at = braces.end();
            }
            return Pattern.compile(regex.append(literal(template.substring(at))).toString());
        }

        private static String literal(String text) {
            return Pattern.quote(text).replace("*", "\\E(?<rest>.+)\\Q");
        }

        Optional<Found> find(String name) {
            for (Compiled line : lines) {
                Matcher matcher = line.pattern.matcher(name);
                if (matcher.matches()) {
                    return Optional.of(new Found(line.rule, target -> filled(target, matcher, line.lets)));
                }
            }
            return Optional.empty();
        }

        static String filled(String template, Matcher name, Map<String, Integer> lets) {
            String numbered = BRACES.matcher(template).replaceAll(expression ->
                Integer.toString(value(expression.group(1), name, lets)));
            return numbered.contains("*") ? numbered.replace("*", name.group("rest")) : numbered;
        }

        private static int value(String expression, Matcher name, Map<String, Integer> lets) {
            int value = 0;
            Matcher term = TERM.matcher(expression);
            while (term.find()) {
                String operand = term.group(2);
                int number = Character.isDigit(operand.charAt(0)) ? Integer.parseInt(operand)
                    : lets.containsKey(operand) ? lets.get(operand) : Integer.parseInt(name.group(operand));
                value = OPERATORS.get(term.group(1)).applyAsInt(value, number);
            }
            return value;
        }
    }
}
