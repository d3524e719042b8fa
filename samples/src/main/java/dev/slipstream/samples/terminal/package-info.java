/**
 * What all commands have in common on a terminal: results as tables and JSON, text that a terminal can show, complaints
 * in one line, exit codes, Ctrl-C, and the options that every command has.
 */
package dev.slipstream.samples.terminal;
