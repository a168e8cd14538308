"""The command line: reads options, prints, and turns errors into exit codes."""
