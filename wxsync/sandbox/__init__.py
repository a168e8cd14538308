"""A WeCom in memory, by its own reading of WeCom's pages: shares no code with the client that it tests."""
