/**
 * Pictures: 8-bit RGB pixels, what a decoder's output becomes, and PNG files with the parameters that made them.
 */
package dev.slipstream.pipelines.diffusion.image;
