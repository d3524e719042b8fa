/**
 * Pictures: 8-bit RGB pixels, what a decoder's output becomes, and PNG files with the parameters that made them.
 * Everything here is an immutable value, which any thread may use; no argument and no result is null. Files that are
 * no pictures are a {@link dev.slipstream.pipelines.model.RequestException}, sizes that make no sense an {@link
 * java.lang.IllegalArgumentException}.
 */
@NullMarked
package dev.slipstream.pipelines.diffusion.image;

import org.jspecify.annotations.NullMarked;
