/**
 * What each ONNX operator makes of its inputs: the types of its outputs, and their values where those of its inputs are
 * known.
 *
 * <p>A rule sees a {@link dev.slipstream.pipelines.graph.shape.rule.TypedNode}: its attributes, and what is known of
 * its inputs. {@link dev.slipstream.pipelines.graph.shape.rule.ShapeRules} is the table of types,
 * {@link dev.slipstream.pipelines.graph.shape.rule.ConstantFolding} the one of values; both are made of one table for
 * each kind of operator. To teach it an operator, add a line to a table. The package is not exported.
 */
package dev.slipstream.pipelines.graph.shape.rule;
