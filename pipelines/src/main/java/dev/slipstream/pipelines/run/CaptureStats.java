package dev.slipstream.pipelines.run;

/**
 * How much of a program is launched as captured graphs, once they are made.
 *
 * @param steps of the program
 * @param instructions of the program
 * @param captured instructions that are part of a graph
 * @param graphs how many different ones there are
 * @param calls that queue the whole program: one for each launch of a graph, and one for each instruction outside
 */
public record CaptureStats(int steps, int instructions, int captured, int graphs, int calls) {
}
