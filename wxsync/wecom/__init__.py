"""WeCom's API, in and out: async, and the only room that knows what it looks like on the wire."""
