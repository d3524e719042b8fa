package dev.slipstream.samples;

/**
 * One thing that the doctor looked at.
 *
 * @param subject what, in a word
 * @param words what there is; or what is wrong, and on a line of its own what to do
 */
record Finding(State state, String subject, String words) {
    private static final int INDENT = 16;

    enum State {
        GOOD("ok"),
        /** Not there, and not needed for the main job. */
        ABSENT("--"),
        /** In the way of the main job. */
        BAD("!!");

        private final String mark;

        State(String mark) {
            this.mark = mark;
        }
    }

    @Override
    public String toString() {
        return String.format("%s  %-10s  %s", state.mark, subject, words.replace("\n", "\n" + " ".repeat(INDENT)));
    }
}
