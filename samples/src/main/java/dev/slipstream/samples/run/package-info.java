/**
 * {@code slipstream run}: runs one component of a model on given tensors and compares what comes out, which is how one
 * checks a model that was brought here.
 *
 * <p>{@link dev.slipstream.samples.run.RunCommand} is the command. A {@code ComponentFolder} is what lies on disk; it
 * has one or more {@code Part}s, graphs with the names that their outputs have here. A {@code ComponentRun} is those
 * parts fixed to the tensors that were given, and {@code ExpectedOutputs} is what the results are compared with.
 */
package dev.slipstream.samples.run;
