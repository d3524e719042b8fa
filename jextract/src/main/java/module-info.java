/** Generated bindings of C APIs, for the bridge alone. */
module dev.slipstream.jextract {
    exports dev.slipstream.jextract.cuda to dev.slipstream.bridge;

    opens dev.slipstream.jextract.cuda to dev.slipstream.bridge;
}
