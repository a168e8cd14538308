"""Records to WeCom's JSON and back: the only place that spells WeCom's field names."""
