"""The records that travel through wxsync: frozen, typed, and without any I/O."""
