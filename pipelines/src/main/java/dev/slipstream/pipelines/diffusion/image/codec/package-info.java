/** How pictures stand in files: PNG by code of our own, JPEG by the JDK's desktop module where that is present. */
package dev.slipstream.pipelines.diffusion.image.codec;
