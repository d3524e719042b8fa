module org.example.draw {
    requires dev.slipstream.pipelines;
}
