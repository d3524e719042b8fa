/**
 * Which graph writer a component's class has: the one place that knows.
 *
 * <p>{@link dev.slipstream.pipelines.model.kind.ComponentKinds} finds the {@link
 * dev.slipstream.pipelines.model.kind.ComponentKind} of a {@code config.json}; a kind gives the graphs over a
 * checkpoint, and the weights that a checkpoint must have. Commands, pipelines and templates all ask here.
 *
 * <p>To add a kind, write its graph writer in a package of its own, with a method {@code write(ConfigFile,
 * GraphBuilder, GraphOptions)} that adds inputs, nodes and outputs to the builder, and one line in {@code
 * ComponentKinds}: the classes of diffusers or transformers that it serves, and the method. A component that is run in
 * several ways, such as an autoencoder, has a graph for each. Inputs that are optional are written if the options name
 * them, so that whoever can give them gets them. Names of inputs and outputs are those that exporters use; where people
 * ask for an output by another name, a {@link dev.slipstream.pipelines.model.kind.NamedOutput} says so.
 */
@NullMarked
package dev.slipstream.pipelines.model.kind;

import org.jspecify.annotations.NullMarked;
