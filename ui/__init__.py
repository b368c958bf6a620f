"""The command line and the page: they render what `qa` decides, and decide nothing."""
