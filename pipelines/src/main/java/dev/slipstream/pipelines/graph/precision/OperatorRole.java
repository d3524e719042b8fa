package dev.slipstream.pipelines.graph.precision;

/** What an operator's precision depends on. */
enum OperatorRole {
    /** Computes in the narrow type: products, and functions of one element whose result is about as large as it. */
    NARROW,
    /** Narrow, unless it belongs to a normalisation or to the embedding of the time; see {@link NarrowNodes}. */
    ARITHMETIC,
    /** Hands elements on as they are: as wide as what it stands between. */
    MOVING,
    /** Sums and powers, which overflow or lose digits. Fp32, and so is the arithmetic on their results. */
    STATISTIC,
    /** Divides by a sum of its own. Fp32, and so is the scaling by weights behind it. */
    NORMALIZING,
    /** Turns an error of its argument into one of its result. Fp32, and so is what its argument is made with. */
    WAVE,
    /** Whatever else there is: left as it is. */
    WIDE
}
