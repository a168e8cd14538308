"""The truth comes in: what the sources say becomes one desired directory."""
