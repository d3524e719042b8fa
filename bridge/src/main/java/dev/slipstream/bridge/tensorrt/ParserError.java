package dev.slipstream.bridge.tensorrt;

/**
 * What the ONNX parser objects to.
 *
 * @param code the parser's number for the kind of error
 * @param node index of the node in the graph, or -1
 * @param nodeName its name; empty if it has none
 * @param operator its operator; empty if it is not about a node
 */
record ParserError(int code, String description, int node, String nodeName, String operator) {
    static ParserError read(CppObject error) {
        return new ParserError(error.int32(Method.ERROR_CODE), CppObject.text(error.pointer(Method.ERROR_DESCRIPTION)),
            error.int32(Method.ERROR_NODE), CppObject.text(error.pointer(Method.ERROR_NODE_NAME)),
            CppObject.text(error.pointer(Method.ERROR_NODE_OPERATOR)));
    }

    /** Like {@code node 3 '/up/Conv' (Conv): …}. */
    @Override
    public String toString() {
        if (node < 0) {
            return description + " (code " + code + ")";
        }
        return "node " + node + (nodeName.isEmpty() ? "" : " '" + nodeName + "'")
            + (operator.isEmpty() ? "" : " (" + operator + ")") + ": " + description;
    }
}
