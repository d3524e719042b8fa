/**
 * {@code slipstream run}: runs one component of a model on given tensors and compares what comes out, which is how one
 * checks a model that was brought here.
 *
 * <p>{@link dev.slipstream.samples.run.RunCommand} is the command. A {@code ComponentFolder} is what lies on disk; it
 * has one or more {@code Part}s, graphs with the names that their outputs have here, and a {@code PartRun} is one of
 * them fixed to the tensors that were given. An {@code OutputComparison} is the verdict on one output.
 */
package dev.slipstream.samples.run;
