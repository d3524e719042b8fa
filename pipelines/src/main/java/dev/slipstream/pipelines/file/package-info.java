/** Files as such, whatever is in them: told from what a clone without Git LFS leaves in their place. */
package dev.slipstream.pipelines.file;
