"""What goes on day and night: when the runs of each sync begin."""
