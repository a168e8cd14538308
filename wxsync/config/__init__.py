"""The config file: TOML in, frozen and checked settings out, secrets masked by their type."""
